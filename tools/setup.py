"""Make .venv with the pinned tools, once; say in one line what is wrong.

Run by `make` before anything is installed, so it needs the standard library only.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "requirements.txt"
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
READY = VENV / "ready"
LOG = VENV / "setup.log"
SAID = 4  # Lines of pip's words that name what went wrong.


def main() -> None:
    """Set up, unless it was done for the same tools and the same Python."""
    wanted = made_for()
    if READY.exists() and READY.read_text() == wanted:
        return
    print("setup: making .venv (about a minute, once)", flush=True)
    make_venv()
    install("--require-hashes", "-r", str(PINS))
    # From what is installed by now: nothing that is not pinned is downloaded.
    install("--no-index", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    READY.write_text(wanted)


def made_for() -> str:
    """What .venv depends on: the pins, the Python, the folder."""
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()
    return "\n".join([pins, sys.version, sys.base_prefix, str(ROOT)])


def make_venv() -> None:
    """Make an empty .venv in the place of the old one."""
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
        sys.exit(
            f"setup: {sys.executable} cannot make a virtual environment; "
            "on Debian and Ubuntu: apt install python3-venv"
        )


def install(*arguments: str) -> None:
    """Let the pip of .venv install something, and keep its words in a log."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install"]
    with LOG.open("ab") as log:
        ended = subprocess.run(
            [*command, *arguments], check=False, stdout=log, stderr=log
        )
    if ended.returncode:
        words = LOG.read_text(errors="replace").splitlines()
        sys.exit(
            "setup: could not install the tools; is the network there? pip said:\n"
            + "\n".join(f"  {line}" for line in words[-SAID:])
            + f"\nAll its words are in {LOG.relative_to(ROOT)}; then run make again"
        )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("setup: interrupted; run make again to go on")
