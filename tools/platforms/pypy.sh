#!/bin/sh
# Build psutil for a PyPy, because PyPI has no wheel for it: sh tools/platforms/pypy.sh [PYPY]
# Takes some 3 s. Needs gcc and PyPy's headers (Debian: gcc libc6-dev pypy3-dev) where PyPy runs.
set -eu
pypy=${1:-pypy3}
version=$(.venv/bin/python -c "import psutil; print(psutil.__version__)")
target=$PWD/.platforms/$(basename "$pypy")
if [ -d "$target/psutil" ]; then
    echo "pypy: psutil is in ${target#"$PWD/"}; remove it to build it again"
    exit
fi
command -v "$pypy" >/dev/null || { echo "pypy: there is no $pypy; name one: sh $0 PYPY"; exit 1; }
work=$PWD/.platforms/work
rm -rf "$work"
mkdir -p "$work" "$target"
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$work" "psutil==$version" ||
    { echo "pypy: cannot download the source of psutil $version"; exit 1; }
tar -xzf "$work"/psutil-*.tar.gz -C "$work"
cd "$work"/psutil-*/
"$pypy" setup.py --quiet build_ext --inplace >"$work/log" 2>&1 ||
    { tail -n 5 "$work/log"; echo "pypy: cannot build psutil; is there gcc, and pypy3-dev?"; exit 1; }
mv psutil "$target/"
echo "pypy: built psutil $version into ${target#"$PWD/"}"
