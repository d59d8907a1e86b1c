#!/bin/sh
# Set up CPython 3.14 of Debian unstable for another architecture: sh tools/platforms/debian.sh amd64|i386|arm64|s390x
# Needs root, Linux on x86-64, Debian's apt and debootstrap. Changes nothing outside .platforms/.
# amd64 (for kernel.sh) and i386 run natively. The others run on qemu-user of Debian unstable, and need Linux 6.7, in which a
# user namespace has its own binfmt_misc: the system's stays as it is, and ours ends with the program.
# Then: python -m evidence record --jobs 1 --python .platforms/i386/i386-python-3.14 TOPIC/NAME
set -eu
. tools/platforms/common.sh
architecture=${1:-i386}
case $architecture in # The word of qemu, then what the head of a program for it looks like: binfmt_misc of Linux.
amd64 | i386) machine='' ;;
arm64) machine=aarch64 order='\x01' number='\xb7\x00' kind='\x02\x00' kinds='\xfe\xff' ;;
s390x) machine=s390x order='\x02' number='\x00\x16' kind='\x00\x02' kinds='\xff\xfe' ;;
*) echo "debian: no architecture $architecture; expected amd64, i386, arm64 or s390x"; exit 1 ;;
esac
begin "$architecture" "$architecture-python-3.14"
[ "$(id -u)" = 0 ] || fail "needs root, for chroot"
command -v debootstrap >/dev/null || fail "there is no debootstrap; install it with apt"
mirror=$(mirror_of_debian)
mkdir -p "$platforms/$name"

layer=$architecture enter='unshare --mount' register=''
if [ -n "$machine" ]; then
    # qemu-user of unstable: that of Debian 12 lacks the child subreaper.
    use_suite deb sid "$folder/apt" >"$log" 2>&1 || fail "cannot read the lists of packages"
    (cd "$folder/apt" && apt-get --quiet=2 download qemu-user) >"$log" 2>&1 || fail "cannot download qemu-user"
    unset APT_CONFIG
    dpkg-deb --extract "$folder"/apt/qemu-user_*.deb "$folder/apt/files"
    mv "$folder/apt/files/usr/bin/qemu-$machine" "$folder/qemu"
    rm -rf "$folder/apt"
    version=$("$folder/qemu" --version | sed -n 's/.* version \([0-9.]*\).*/\1/p')
    layer="$architecture on qemu-user $version"
    enter='unshare --user --map-root-user --mount'
    head="\\x7fELF\\x02$order\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00$kind$number"
    mask="\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff$kinds\\xff\\xff"
    register="mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf %s ':$machine:M::$head:$mask:$folder/qemu:FP' >/proc/sys/fs/binfmt_misc/register"
fi

# The mounts are those of the new namespace, so nothing is mounted for other programs,
# and you can remove the folder at any time.
cat >"$folder/enter" <<END
set -e
$register
mount --rbind "$folder/root" "$folder/root" # unshare wants a root that is mounted.
for path in /proc /sys /dev /tmp "$PWD" "$(dirname "$(readlink -f .venv)")"; do
    mkdir -p "$folder/root\$path"
    mount --rbind "\$path" "$folder/root\$path"
done
exec chroot "$folder/root" "\$@"
END
# Extracted and not configured: that needs no program of the other architecture.
debootstrap --foreign --arch="$architecture" --variant=minbase --include=python3.14,python3-psutil,procps \
    sid "$folder/root" "$mirror" >"$log" 2>&1 || fail "debootstrap failed"
for package in "$folder"/root/var/cache/apt/archives/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done
cp "$folder/root/usr/share/base-passwd/passwd.master" "$folder/root/etc/passwd"
cp "$folder/root/usr/share/base-passwd/group.master" "$folder/root/etc/group"
rm -rf "$folder/root/var/cache/apt" "$folder/root/var/lib/apt" "$folder/root/debootstrap"
# Debian's psutil before that of this machine, which examples find otherwise.
ln -sfn /usr/lib/python3/dist-packages/psutil "$platforms/$name/psutil"
finish "import ctypes, psutil, multiprocessing.synchronize" <<END
#!/bin/sh
# CPython 3.14 of Debian for $layer, written by tools/platforms/debian.sh.
export EVIDENCE_LAYER="$layer"
exec $enter sh "$folder/enter" /bin/sh -c 'cd "\$0" && exec python3.14 "\$@"' "\$PWD" "\$@"
END
