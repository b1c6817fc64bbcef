#!/bin/busybox sh
# The first process of the emulated machine (scripts/lib/emulator.mjs): loads what its root needs, lays memory over the
# root of the machine around it, which is shared read-only, and goes on there with scripts/kernel-init.sh.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
fail() {
  echo "@guest-start@
guest: $1"
  echo o >/proc/sysrq-trigger
  sleep 10
}
for word in $(cat /proc/cmdline); do
  case $word in GUEST_JOB=*) job=${word#*=} ;; esac
done
for module in $(cat /modules/order); do
  insmod "/modules/$module" || fail "the module $module cannot be loaded"
done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=loose,ro root /host || fail 'no root'
mount -t tmpfs tmpfs /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work overlay /new || fail 'no overlay'
umount /proc
exec switch_root /new /bin/bash "$job/init"
