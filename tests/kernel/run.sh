#!/bin/bash
# Boots Linux in QEMU and runs scenarios in it.
#   tests/kernel/run.sh [--stock] [--debug] [--keep] [--shell] [SCENARIO…]
#     --stock   our kernel as Debian has it, without the patch
#     --debug   with lockdep and KASAN: slow
#     --keep    keeps the source tree, for work on the patch
#     --shell   stops at a shell in the guest, instead
# Scenarios (see README.md), without one all that the kernels and fuse4fs can do but the last:
#   wire, fuse4fs, fuse4fs-v2   in a Linux 7.2 that speaks LOOKUP_HANDLE, built here
#   nfs, nfs-survival           in Debian's own Linux 6.12
# As root on Debian, x86-64. Ends with "N passed, N failed[, N skipped]". Kernels are kept in ${XDG_CACHE_HOME:-$HOME/.cache}/fuse4fs/kernel.
set -euo pipefail
here=$(cd "$(dirname -- "$0")" && pwd)
cd "$here/../.."
# shellcheck source=packaging/setup.sh
. packaging/setup.sh

cache=${XDG_CACHE_HOME:-$HOME/.cache}/fuse4fs/kernel
patch=$here/lookup-handle.patch
debug='' keep='' shell=''
patched=() debian=() # the scenarios, by kernel
while [ $# -gt 0 ]; do
  case $1 in
    --stock) patch='' ;;
    --debug) debug=1 ;;
    --keep) keep=1 ;;
    --shell) shell=1 ;;
    -*) fail "unknown argument $1; usage: tests/kernel/run.sh [--stock] [--debug] [--keep] [--shell] [SCENARIO…]" ;;
    nfs | nfs-*) debian+=("$1") ;;
    *) patched+=("$1") ;;
  esac
  shift
done
everything=''
if [ ${#patched[@]} = 0 ] && [ ${#debian[@]} = 0 ]; then
  patched=(fuse4fs)
  if [ -z "$shell" ]; then debian=(nfs); fi
  if [ -n "$patch" ]; then everything=1 patched=(wire fuse4fs); fi
fi

passed=0 failed=0 skipped=0
skip() { echo "run.sh: SKIPPED: $*" >&2; skipped=$((skipped + 1)); }
finish() {
  echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
  [ "$failed" = 0 ]
  exit
}
give_up() { echo "run.sh: $*" >&2; failed=$((failed + 1)); finish; }
seconds() { echo $((SECONDS - $1)) s; }

if [ "$(uname -m)" != x86_64 ]; then skip "it is for x86-64, this is $(uname -m)"; finish; fi
need_packages flex=flex bison=bison m4=m4 bc=bc gcc=gcc make=make patch=patch xz=xz-utils qemu-system-x86_64=qemu-system-x86 \
  busybox=busybox-static mke2fs=e2fsprogs debugfs=e2fsprogs fuse2fs=fuse2fs
[ -e /usr/include/libelf.h ] || need_packages libelf.h=libelf-dev
for tool in flex bison bc gcc patch qemu-system-x86_64 busybox mke2fs fuse2fs; do
  if ! command -v "$tool" > /dev/null; then skip "there is no $tool"; finish; fi
done
need_dotnet

mkdir -p "$cache"
work=$(mktemp -d "${TMPDIR:-/tmp}/fuse4fs-kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/kernel/kernels.sh
. "$here/kernels.sh"
# shellcheck source=tests/kernel/root.sh
. "$here/root.sh"

# boot SCENARIO…: runs them under the kernel in $kernel. Without KVM, which a machine in a cloud rarely has: emulated, it is the same everywhere.
boot() {
  local start=$SECONDS summary names deadline restarts=${FUSE4FS_NFS_RESTARTS:-5}
  # Where all processors are busy with other things, timers are late: that is no fault of the guest's.
  local words="console=ttyS0 quiet root=/dev/vda ro init=/init panic=-1 reboot=t no_timer_check rcupdate.rcu_cpu_stall_suppress=1"
  # Of the processor's features: QEMU 7.2's cmpxchg16b leaves what it finds in the flags, which a kernel that uses it for its allocator dies of;
  # and programs that find AVX compile more for it than they gain.
  local qemu=(qemu-system-x86_64 -accel "tcg,thread=multi" -cpu "max,cx16=off,avx=off" -m 2048 -smp "2,sockets=2" -nodefaults -no-reboot -display none -serial stdio
    -kernel "$kernel/bzImage" -drive "file=$work/root.img,format=raw,if=virtio,snapshot=on")
  if [ -e "$kernel/lib/modules" ]; then
    begin_with_modules > "$work/initrd"
    qemu+=(-initrd "$work/initrd")
  fi
  if [ -n "$shell" ]; then
    "${qemu[@]}" -append "$words scenarios=shell"
    return
  fi
  say "booting $title: $*"
  names=$(IFS=,; echo "$*")
  # In seconds, for all of them; half of it for one. An emulated processor is slow.
  case $names in
    *nfs-survival*) deadline=7200 ;;
    *) deadline=$((900 + 20 * restarts)) ;;
  esac
  deadline=${FUSE4FS_KERNEL_DEADLINE:-$deadline}
  timeout --kill-after=10 "$deadline" "${qemu[@]}" -append "$words scenarios=$names restarts=$restarts deadline=$((deadline / 2))" < /dev/null 2>&1 \
    | stdbuf -o0 tr -d '\r' | tee "$work/console" || true
  say "the guest ran for $(seconds "$start")"
  summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/console" | tail -n 1 || true)
  if [[ ! $summary =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ || $summary == '0 passed, 0 failed' ]]; then
    echo 'run.sh: the guest ended without a result' >&2
    failed=$((failed + 1))
    return
  fi
  passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  grep '^not ok' "$work/console" | sort -u || true
}

if [ ${#patched[@]} != 0 ]; then
  patched_kernel
  if [ -z "$kernel" ]; then patched=(); else patched_at=$kernel patched_title=$title; fi
fi
if [ ${#debian[@]} != 0 ]; then
  debian_kernel
  if [ -n "$kernel" ] && ! unpack_nfs; then skip 'the NFS servers cannot be fetched'; kernel=; fi
  if [ -z "$kernel" ]; then debian=(); else debian_at=$kernel debian_title=$title; fi
fi
if [ ${#patched[@]} = 0 ] && [ ${#debian[@]} = 0 ]; then finish; fi

say 'building fuse4fs and the guest'
base_root
if [ "${patched[*]} ${debian[*]} $shell" != 'wire  ' ]; then
  fuse4fs_root
  # A fuse4fs that speaks the patched kernel's dialect is tested with it, too.
  if [ -n "$everything" ] && "$root/fuse4fs/fuse4fs" mount --help | grep -q -e --lookup-handle; then patched+=(fuse4fs-v2); fi
fi
if [ ${#debian[@]} != 0 ]; then nfs_root "$debian_at"; fi
make_disk

if [ ${#patched[@]} != 0 ]; then kernel=$patched_at title=$patched_title; boot "${patched[@]}"; fi
if [ ${#debian[@]} != 0 ]; then kernel=$debian_at title=$debian_title; boot "${debian[@]}"; fi
finish
