"""Install the pinned tools into .venv: `tools/setup.py [GROUP ...]`.

A group is a file in requirements/; `docs` and `test` are always installed.
`make` runs this before anything is installed, so it uses the standard library only.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
DONE = VENV / "installed.txt"
LOG = VENV / "setup.log"
#: Seconds for one step, over a slow network.
DEADLINE = 3600


def main(groups: set[str]) -> None:
    """Install the groups, unless the same pins are installed already."""
    before = DONE.read_text("utf-8").splitlines() if DONE.exists() else [""]
    groups |= {"docs", "test"} | {line.split()[0] for line in before[1:]}
    after = [base(), *(f"{group} {pins(group)}" for group in sorted(groups))]
    if after == before:
        return
    print(f"setup: installing {', '.join(sorted(groups))} into .venv", flush=True)
    if after[0] != before[0]:
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, symlinks=os.name != "nt")
    DONE.unlink(missing_ok=True)
    # Neither uv nor pip stays: together they are 55 MB.
    with tempfile.TemporaryDirectory(dir=VENV) as folder:
        uv = [str(install_uv(Path(folder))), "pip"]
        files = [str(pin_file(group)) for group in sorted(groups)]
        run([*uv, "sync", "--python", str(PYTHON), "--require-hashes", *files])
        here = ["--offline", "--no-deps", "--no-build-isolation", "--editable", "."]
        run([*uv, "install", "--python", str(PYTHON), *here])
    DONE.write_text("\n".join(after), "utf-8")


def base() -> str:
    """Return what the whole of .venv depends on: the Python and the folder."""
    return repr((sys.version, sys.base_prefix, str(ROOT)))


def pin_file(group: str) -> Path:
    """Return the file with the pins of a group."""
    return ROOT / "requirements" / f"{group}.txt"


def pins(group: str) -> str:
    """Return a hash of the pins of a group."""
    return hashlib.sha256(pin_file(group).read_bytes()).hexdigest()


def install_uv(folder: Path) -> Path:
    """Let pip install uv into a folder; return the path of the program."""
    python = sys.executable
    if importlib.util.find_spec("pip") is None:
        if importlib.util.find_spec("ensurepip") is None:
            sys.exit(
                f"setup: {python} has neither pip nor ensurepip; "
                "on Debian and Ubuntu: apt install python3-pip"
            )
        venv.create(folder / "pip", with_pip=True)
        python = str(folder / "pip" / PYTHON.relative_to(VENV))
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--retries", "2"]
    pinned = ["--require-hashes", "--requirement", str(pin_file("uv"))]
    run([*pip, "install", "--target", str(folder / "uv"), *pinned])
    return folder / "uv" / "bin" / ("uv.exe" if sys.platform == "win32" else "uv")


def run(command: list[str]) -> None:
    """Run an installer, with its output in the log; exit with one line if it fails."""
    with LOG.open("ab") as log:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(),
            check=False,
            stdout=log,
            stderr=log,
            timeout=DEADLINE,
        )
    if done.returncode:
        tool = "uv" if Path(command[0]).stem == "uv" else "pip"
        sys.exit(
            f"setup: {tool} could not install the pinned packages; is there a network? "
            f"See {LOG.relative_to(ROOT)} for the reason, then run make again"
        )


@cache
def environment() -> dict[str, str]:
    """Return the environment for uv, which does not read the index that pip uses."""
    found = os.environ | {"UV_HTTP_RETRIES": "2"}
    ask = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(
        ask, check=False, capture_output=True, text=True, timeout=DEADLINE
    )
    index = os.environ.get("PIP_INDEX_URL") or configured.stdout.strip()
    return {"UV_DEFAULT_INDEX": index, **found} if index else found


if __name__ == "__main__":
    try:
        main(set(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("setup: interrupted; run make again to continue")
