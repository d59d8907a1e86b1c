#!/bin/sh
# In the emulated machine: process 1, which ends the machine after the agent.
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mkdir -p /dev/shm /dev/pts /tmp /var/tmp
mount -t tmpfs none /dev/shm
mount -t devpts none /dev/pts
mount -t tmpfs none /tmp
mount -t cgroup2 none /sys/fs/cgroup
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONPATH=/packages
python3.14 -c "import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(313, os.open('/unix_diag.ko', os.O_RDONLY), b'', 0):  # finit_module
    print(os.strerror(ctypes.get_errno()))" >/dev/console
python3.14 /agent.py
echo o >/proc/sysrq-trigger
sleep 60
