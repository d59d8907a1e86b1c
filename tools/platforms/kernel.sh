#!/bin/sh
# Set up CPython 3.14 on another kernel, of Debian, in QEMU: sh tools/platforms/kernel.sh 5.10|6.1|6.12
# Needs what debian.sh needs, qemu-system-x86_64 and cpio. Changes nothing outside .platforms/.
# QEMU emulates a machine without a disk. It starts with the first program, takes the tests and
# examples as they are then, and ends 60 s after the last program.
# Then: python -m evidence record --jobs 1 --deadline 300 --python .platforms/linux-5.10/linux-5.10-python-3.14 TOPIC/NAME
set -eu
. tools/platforms/common.sh
version=${1:-6.1}
case $version in
5.10) suite=bullseye ;;
6.1) suite=bookworm ;;
6.12) suite=trixie ;;
*) echo "kernel: no Linux $version; expected 5.10, 6.1 or 6.12"; exit 1 ;;
esac
begin "linux-$version" "linux-$version-python-3.14"
for program in qemu-system-x86_64 cpio; do
    command -v $program >/dev/null || fail "there is no $program; install qemu-system-x86 and cpio with apt"
done
sh tools/platforms/debian.sh amd64
use_suite deb "$suite" "$folder/apt"
image=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')
(cd "$folder/apt" && apt-get --quiet=2 download "$image")
unset APT_CONFIG
dpkg-deb --extract "$folder"/apt/linux-image-*.deb "$folder/apt/files"
mv "$folder"/apt/files/boot/vmlinuz-* "$folder/vmlinuz"
# diagnose() asks this module which socket is the other end of a Unix socket.
# Debian 13 has it below usr/lib.
find "$folder/apt/files" -name 'unix_diag.ko*' | while read -r module; do
    case $module in
    *.xz) xz --decompress --stdout "$module" >"$folder/unix_diag.ko" ;;
    *) mv "$module" "$folder" ;;
    esac
done
rm -rf "$folder/apt"

# Python and the programs that tests use, in memory, without what they do not need.
(cd "$platforms/amd64/root" && find . -xdev \( -path ./usr/share -o -name 'perl*' -o -path ./var -o -name terminfo \
    -o -name gconv -o -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp \) -prune -o -print |
    cpio --quiet --create --format newc >"$folder/system.cpio")
qemu=$(qemu-system-x86_64 --version | sed -n 's/.* version \([0-9.]*\).*/\1/p')
finish "import ctypes, psutil, multiprocessing.synchronize" <<END
#!/bin/sh
# CPython 3.14 on Linux $version, written by tools/platforms/kernel.sh.
exec python3 "$PWD/tools/platforms/machine.py" "$folder" "Linux $version on QEMU $qemu" "\$@"
END
