#!/bin/sh
# Build CPython 3.13 without the GIL from Debian's source: sh tools/platforms/free_threaded.sh
# Takes some 4 minutes of processor time, 23 MB of download and 400 MB of disk. Changes nothing outside .platforms/.
# Needs Debian's apt, gcc, make, and libffi-dev for ctypes. It is built without optimization, so it tells nothing about speed.
# Then: python -m evidence record --python .platforms/free-threaded/free-threaded-python-3.13 TOPIC/NAME
set -eu
. tools/platforms/apt.sh
folder=$PWD/.platforms/free-threaded
name=free-threaded-python-3.13
if [ -x "$folder/$name" ]; then
    echo "free_threaded: .platforms/free-threaded/$name is set up; remove .platforms/free-threaded to set it up again"
    exit
fi
start=$(date +%s)
rm -rf "$folder"
mkdir -p "$folder/source"
log=$folder/log
fail() { tail -n 5 "$log"; echo "free_threaded: $1"; exit 1; }

use_suite deb-src trixie "$folder/apt"
(cd "$folder/source" && apt-get --quiet=2 --download-only source python3.13) >"$log" 2>&1 || fail "cannot download the source"
unset APT_CONFIG
tar -xJf "$folder"/source/python3.13_*.orig.tar.xz -C "$folder/source" --strip-components=1
(cd "$folder/source" && ./configure --disable-gil --without-ensurepip --prefix="$folder/root" && make -j2 && make install) >"$log" 2>&1 ||
    fail "cannot build it"
rm -rf "$folder/source" "$folder/apt"

psutil=$(.venv/bin/python -c "import psutil; print(psutil.__version__)")
python3 -m pip --quiet --disable-pip-version-check install --target "$PWD/.platforms/$name" --only-binary :all: --no-deps \
    --platform manylinux_2_28_x86_64 --python-version 3.13 --abi cp313t "psutil==$psutil" >"$log" 2>&1 || fail "cannot install psutil"
cat >"$folder/$name.new" <<END
#!/bin/sh
# CPython 3.13 without the GIL, written by tools/platforms/free_threaded.sh.
export EVIDENCE_LAYER="free-threaded"
exec "$folder/root/bin/python3.13t" "\$@"
END
chmod +x "$folder/$name.new"
PYTHONPATH=$PWD/.platforms/$name "$folder/$name.new" -c "import ctypes, psutil, sys; sys.exit(sys._is_gil_enabled())" >"$log" 2>&1 ||
    fail "it does not run, or has a GIL"
mv "$folder/$name.new" "$folder/$name"
echo "free_threaded: set up .platforms/free-threaded/$name in $(($(date +%s) - start)) s, $(du -sm "$folder" | cut -f1) MB of disk"
