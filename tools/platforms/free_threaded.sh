#!/bin/sh
# Build CPython 3.13 without the GIL from Debian's source: sh tools/platforms/free_threaded.sh
# Takes some 4 minutes of processor time, 23 MB of download and 400 MB of disk. Changes nothing outside .platforms/.
# Needs Debian's apt, gcc, make, and libffi-dev for ctypes. It is built without optimization, so it tells nothing about speed.
# Then: python -m evidence record --python .platforms/free-threaded/free-threaded-python-3.13 TOPIC/NAME
set -eu
. tools/platforms/common.sh
begin free-threaded free-threaded-python-3.13
mkdir "$folder/source"
use_suite deb-src trixie "$folder/apt"
(cd "$folder/source" && apt-get --quiet=2 --download-only source python3.13) >"$log" 2>&1 || fail "cannot download the source"
unset APT_CONFIG
tar -xJf "$folder"/source/python3.13_*.orig.tar.xz -C "$folder/source" --strip-components=1
(cd "$folder/source" && ./configure --disable-gil --without-ensurepip --prefix="$folder/root" && make -j2 && make install) >"$log" 2>&1 ||
    fail "cannot build it"
rm -rf "$folder/source" "$folder/apt"

psutil=$(.venv/bin/python -c "import psutil; print(psutil.__version__)")
python3 -m pip --quiet --disable-pip-version-check install --target "$platforms/$name" --only-binary :all: --no-deps \
    --platform manylinux_2_28_x86_64 --python-version 3.13 --abi cp313t "psutil==$psutil" >"$log" 2>&1 || fail "cannot install psutil"
finish "import ctypes, psutil, sys; sys.exit('it has a GIL' if sys._is_gil_enabled() else 0)" <<END
#!/bin/sh
# CPython 3.13 without the GIL, written by tools/platforms/free_threaded.sh.
export EVIDENCE_LAYER="free-threaded"
exec "$folder/root/bin/python3.13t" "\$@"
END
