#!/bin/bash
# The first process of a guest kernel (scripts/lib/guest-job.mjs): gives it what a program expects of a Linux machine, runs
# the job and writes its exit status. The root is this machine's, read-only; only what is mounted here can be written, or
# the memory that lies over it (scripts/emulated-init.sh).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

finish() { # status, reason
  [ -z "${2-}" ] || echo "guest: $2"
  echo '@guest-end@'
  cp /proc/net/tls_stat "$job/tls_stat" 2>/dev/null
  uname -r >"$job/release"
  echo "$1" >"$job/status"
  sync
  echo o >/proc/sysrq-trigger
  sleep 10
}

# The option's spelling changed when hostfs took to the new mount interface. The emulated machine shares the job's folder.
host() { # mode, folder
  mkdir -p "$2" 2>/dev/null
  if grep -q '\s9p$' /proc/filesystems; then
    mount -n -t 9p -o "$1,trans=virtio,version=9p2000.L" job "$2"
  else
    mount -n -t hostfs -o "$1,$2" hostfs "$2" 2>/dev/null || mount -n -t hostfs -o "$1,hostfs=$2" hostfs "$2"
  fi
}

mount -n -t proc proc /proc
mount -n -t sysfs sysfs /sys
for word in $(</proc/cmdline); do
  case $word in GUEST_JOB=*) job=${word#*=} ;; esac
done
mount -n -t tmpfs -o mode=1777 tmpfs /run
# What can be written already is not hidden.
[ -w / ] || for folder in /tmp /var/tmp; do mount -n -t tmpfs -o mode=1777 tmpfs $folder; done
grep -q ' /dev ' /proc/mounts || mount -n -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm /dev/pts /tmp/home
mount -n -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -n -t devpts devpts /dev/pts 2>/dev/null
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr

host rw "$job" || { echo "guest: cannot write $job"; echo o >/proc/sysrq-trigger; sleep 10; }
. "$job/settings"
echo '@guest-start@'

# A folder below /tmp is hidden by the tmpfs there.
for folder in "${READABLE[@]}"; do
  [ -d "$folder" ] || host ro "$folder" || finish 96 "cannot read $folder"
done
for folder in "${WRITABLE[@]}"; do
  host rw "$folder" || finish 96 "cannot write $folder"
done

ip link set lo up || finish 96 'no loopback interface'
# What belongs to a later or an earlier kernel is not there; the tests find a missing cipher by name.
for module in gcm ccm ctr seqiv aesni-intel ghash-generic chacha20poly1305 chacha chacha_generic poly1305_generic; do
  modprobe -q -d "$MODULES" "$module" 2>/dev/null
done
if [ "$LOAD_TLS" = yes ]; then
  modprobe -d "$MODULES" tls || finish 97 "the module tls of $(uname -r) cannot be loaded from $MODULES"
fi

cd "$ROOT" || finish 96 "no $ROOT"
# Through a pipe, so that programs do not take the console for a person's terminal. A process that outlives the command
# may keep the pipe open: it is waited for, but not long.
/bin/bash "$job/command" </dev/null > >(exec cat) 2>&1
status=$?
for _ in {1..20}; do
  kill -0 $! 2>/dev/null || break
  sleep 0.05
done
finish $status
