#!/bin/sh
# Run the library's tests that apply to Windows on Wine: sh tools/platforms/test_wine.sh [3.11|3.13]
# Takes 35 s, and what wine.sh takes the first time.
set -eu
version=${1:-3.11}
name=wine-python-$version
[ -x ".platforms/wine/$name" ] || sh tools/platforms/wine.sh "$version"
site=$(.venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
# The psutil of this interpreter comes before that of Linux, whose plugins of pytest do not work there.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 PYTHONPATH="$PWD/.platforms/$name:$PWD/src:$PWD/tests/library:$site"
exec timeout 600 ".platforms/wine/$name" -m pytest -q -p no:cacheprovider -c /dev/null \
    --rootdir tests/library --confcutdir tests/library --import-mode importlib tests/library
