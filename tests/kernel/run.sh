#!/bin/bash
# Builds a small Linux kernel whose FUSE speaks LOOKUP_HANDLE, boots it in QEMU and runs scenarios in it.
#   tests/kernel/run.sh [--stock] [--debug] [--keep] [--shell] [SCENARIO…]
#     --stock   the kernel as Debian has it, without the patch
#     --debug   with lockdep and KASAN: slow
#     --keep    keeps the source tree, for work on the patch
#     --shell   builds, and stops at a shell in the guest
# Scenarios: wire, fuse4fs, fuse4fs-v2 (see README.md); without one, all that the kernel and fuse4fs can do. As root on Debian, x86-64.
# Ends with "N passed, N failed[, 1 skipped]". Kernels are kept in ${XDG_CACHE_HOME:-$HOME/.cache}/fuse4fs/kernel.
set -euo pipefail
here=$(cd "$(dirname -- "$0")" && pwd)
cd "$here/../.."
# shellcheck source=packaging/setup.sh
. packaging/setup.sh

source_package=linux-source-7.2 suite=trixie-backports
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fuse4fs/kernel
patch=$here/lookup-handle.patch
debug='' keep='' shell=''
scenarios=()
while [ $# -gt 0 ]; do
  case $1 in
    --stock) patch='' ;;
    --debug) debug=1 ;;
    --keep) keep=1 ;;
    --shell) shell=1 ;;
    -*) fail "unknown argument $1; usage: tests/kernel/run.sh [--stock] [--debug] [--keep] [--shell] [SCENARIO…]" ;;
    *) scenarios+=("$1") ;;
  esac
  shift
done
everything=''
if [ ${#scenarios[@]} = 0 ]; then
  scenarios=(fuse4fs)
  if [ -n "$patch" ]; then everything=1 scenarios=(wire fuse4fs); fi
fi

skip() { echo "run.sh: SKIPPED: $*" >&2; echo '0 passed, 0 failed, 1 skipped'; exit 0; }
give_up() { echo "run.sh: $*" >&2; echo '0 passed, 1 failed'; exit 1; }
seconds() { echo $((SECONDS - $1)) s; }

[ "$(uname -m)" = x86_64 ] || skip "it builds for x86-64, this is $(uname -m)"
need_packages flex=flex bison=bison m4=m4 bc=bc gcc=gcc make=make patch=patch xz=xz-utils qemu-system-x86_64=qemu-system-x86 \
  busybox=busybox-static mke2fs=e2fsprogs debugfs=e2fsprogs
[ -e /usr/include/libelf.h ] || need_packages libelf.h=libelf-dev
for tool in flex bison bc gcc patch qemu-system-x86_64 busybox mke2fs; do
  command -v "$tool" > /dev/null || skip "there is no $tool"
done
need_dotnet

mkdir -p "$cache"
work=$(mktemp -d "${TMPDIR:-/tmp}/fuse4fs-kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT

# --- The source: from a suite that this machine's apt need not know, with lists of its own. ---

apt_options=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/apt/sources" -o "Dir::State::Lists=$work/apt/lists"
  -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User=root)
newest_source() {
  mkdir -p "$work/apt/sources" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
  printf 'Types: deb\nURIs: http://deb.debian.org/debian\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$suite" /usr/share/keyrings/debian-archive-keyring.gpg > "$work/apt/sources/$suite.sources"
  apt-get "${apt_options[@]}" -o APT::Update::Error-Mode=any update > "$work/apt.log" 2>&1 || return 1
  apt-cache "${apt_options[@]}" policy "$source_package" | sed -n 's/^ *Candidate: //p'
}

config=$work/kernel.config
cat "$here/kernel.config" ${debug:+"$here/debug.config"} > "$config"
hash=$(cat "$config" ${patch:+"$patch"} | sha256sum | cut -c 1-16)
if version=$(newest_source) && [ -n "$version" ] && [ "$version" != '(none)' ]; then
  kernel=$cache/$version-$hash
else
  # Without the network the newest kernel that was ever built this way does.
  kernel=$(find "$cache" -maxdepth 1 -name "*-$hash" 2> /dev/null | sort -V | tail -n 1)
  [ -n "$kernel" ] || { cat "$work/apt.log" >&2; skip "$source_package cannot be fetched from $suite, and no kernel is in $cache"; }
  version=$(basename "$kernel" "-$hash")
  say "no network: the kernel built from $source_package $version"
fi

build() {
  local tree=$work/tree start=$SECONDS
  [ -z "$keep" ] || tree=$cache/tree-$version${patch:+-patched}
  if [ ! -e "$tree/source/Makefile" ]; then
    say "fetching $source_package $version"
    (cd "$work" && apt-get "${apt_options[@]}" download "$source_package=$version" > "$work/apt.log" 2>&1) \
      || { cat "$work/apt.log" >&2; skip "$source_package $version cannot be downloaded"; }
    say 'unpacking it'
    rm -rf "$tree" && mkdir -p "$tree/source"
    dpkg-deb --fsys-tarfile "$work/$source_package"_*.deb | tar -xO "./usr/src/$source_package.tar.xz" | xz -T0 -dc \
      | tar -x --strip-components=1 -C "$tree/source" --exclude='*/Documentation/*/*' --exclude='*/tools/testing/*'
    rm -f "$work/$source_package"_*.deb
    if [ -n "$patch" ]; then
      say 'applying the patch'
      patch -d "$tree/source" -p1 --forward < "$patch" > "$work/patch.log" 2>&1 || {
        cat "$work/patch.log" >&2
        find "$tree/source" -name '*.rej' -exec sh -c 'echo "--- $1"; cat "$1"' - {} \; >&2
        rm -rf "$tree"
        give_up "the patch does not apply to $source_package $version: see the hunks above"
      }
      ! grep -E 'fuzz|offset' "$work/patch.log" || say 'the source has moved a little (above); the patch still applies'
    fi
  fi
  mkdir -p "$tree/build"
  make -s -C "$tree/source" O="$tree/build" KCONFIG_ALLCONFIG="$config" allnoconfig > "$work/make.log" 2>&1 || { cat "$work/make.log" >&2; give_up 'configuring failed'; }
  grep '^CONFIG' "$config" | grep -vxFf "$tree/build/.config" > "$work/missing" \
    && give_up "$source_package $version does not accept: $(tr '\n' ' ' < "$work/missing")"
  say "building the kernel, $(nproc) processors"
  nice -n 10 make -s -C "$tree/source" O="$tree/build" -j"$(nproc)" KBUILD_BUILD_USER=fuse4fs KBUILD_BUILD_HOST=tests bzImage > "$work/make.log" 2>&1 \
    || { tail -n 50 "$work/make.log" >&2; give_up 'building the kernel failed'; }
  grep -A 5 'fs/fuse.*warning' "$work/make.log" && give_up 'the patch compiles with warnings'
  mkdir -p "$kernel"
  cp "$tree/build/.config" "$kernel/config"
  cp "$tree/build/arch/x86/boot/bzImage" "$kernel/bzImage.new"
  mv "$kernel/bzImage.new" "$kernel/bzImage"
  seconds "$start" > "$kernel/took"
}

if [ ! -e "$kernel/bzImage" ]; then build; fi
say "kernel: $source_package $version, $([ -n "$patch" ] && echo patched || echo as Debian has it), $(($(stat -c %s "$kernel/bzImage") / 1024)) KiB, built in $(cat "$kernel/took")"

# --- The guest: a root file system with busybox, e2fsprogs, fuse4fs, the .NET runtime and the tests. ---

root=$work/root
# libraries FILE…: puts the libraries that programs need into the guest. (ldd fails for those that need none.)
libraries() {
  { ldd "$@" 2> /dev/null || true; } | sed -n 's/^\t[^/]*\(\/[^ ]*\) (0x.*/\1/p' | sort -u | while read -r library; do
    case $library in
      "$root"/*) ;;
      *) [ -e "$root$library" ] || install -D -m 755 "$library" "$root$library" ;;
    esac
  done
}

say 'building fuse4fs and the guest'
mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,mnt,etc,test,var/empty}
install -m 755 "$(command -v busybox)" "$root/bin/busybox"
"$(command -v busybox)" --list | while read -r applet; do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
for tool in e2fsck debugfs mke2fs; do
  rm -f "$root/bin/$tool"
  install -m 755 "$(command -v $tool)" "$root/bin/$tool"
done
libraries "$root"/bin/{busybox,e2fsck,debugfs,mke2fs}
[ ! -e /etc/mke2fs.conf ] || cp /etc/mke2fs.conf "$root/etc/"
echo 'root:x:0:0:root:/:/bin/sh' > "$root/etc/passwd"
echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >> "$root/etc/passwd"
install -m 755 "$here"/guest/* "$root/test/"
install -m 755 "$here/guest/init" "$root/init"
gcc -O2 -Wall -Wextra -Werror -static -o "$root/bin/client" "$here/client.c"
gcc -O2 -Wall -Wextra -Werror -static -pthread -o "$root/bin/wire-test" "$here/wire-test.c"
if [[ " ${scenarios[*]} $shell" != ' wire ' ]]; then
  quietly dotnet publish Fuse4fs -c Release -o "$root/fuse4fs" -p:RestoreLockedMode=true -p:GenerateDocumentationFile=false
  runtime=$(dotnet --list-runtimes | sed -n 's/^Microsoft.NETCore.App \([^ ]*\) \[\(.*\)\]$/\2\/\1/p' | tail -n 1)
  dotnet_root=${runtime%/shared/*}
  mkdir -p "$root/dotnet/shared/Microsoft.NETCore.App" "$root/dotnet/host"
  cp -r "$runtime" "$root/dotnet/shared/Microsoft.NETCore.App/"
  cp -r "$dotnet_root/host/fxr" "$root/dotnet/host/"
  cp "$dotnet_root/dotnet" "$root/dotnet/"
  # The runtime looks for these by itself.
  ldconfig -p | sed -n 's/^\t\(libssl\|libcrypto\)\.so\.3 (libc6,x86-64) => //p' | while read -r library; do install -D -m 755 "$library" "$root$library"; done
  libraries "$root/fuse4fs/fuse4fs" "$root"/dotnet/shared/*/*/*.so "$root"/dotnet/host/fxr/*/*.so
  ln -s ../fuse4fs/fuse4fs "$root/bin/fuse4fs"
  # A fuse4fs that speaks the patched kernel's dialect is tested with it, too.
  if [ -n "$everything" ] && "$root/fuse4fs/fuse4fs" mount --help | grep -q -e --lookup-handle; then scenarios+=(fuse4fs-v2); fi
fi
chmod -R a+rX "$root"
mke2fs -q -F -t ext4 -O '^has_journal' -m 0 -d "$root" "$work/root.img" "$(($(du -sm "$root" | cut -f 1) * 5 / 4 + 16))m" > /dev/null

# --- The run. Without KVM, which a machine in a cloud rarely has: emulated, it is the same everywhere. ---

qemu=(qemu-system-x86_64 -accel "tcg,thread=multi" -cpu max -m 1536 -smp "2,sockets=2" -nodefaults -no-reboot -display none -serial stdio
  -kernel "$kernel/bzImage" -drive "file=$work/root.img,format=raw,if=virtio,snapshot=on")
# Where all processors are busy with other things, timers are late: that is no fault of the guest's.
command_line="console=ttyS0 quiet root=/dev/vda ro init=/init panic=-1 reboot=t no_timer_check rcupdate.rcu_cpu_stall_suppress=1"
if [ -n "$shell" ]; then
  "${qemu[@]}" -append "$command_line scenarios=shell"
  exit
fi
say "booting it: ${scenarios[*]}"
start=$SECONDS
names=$(IFS=,; echo "${scenarios[*]}")
timeout --kill-after=10 "${FUSE4FS_KERNEL_DEADLINE:-900}" "${qemu[@]}" -append "$command_line scenarios=$names" < /dev/null 2>&1 \
  | tr -d '\r' | tee "$work/console" || true
say "the guest ran for $(seconds "$start")"
summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/console" | tail -n 1 || true)
[ -n "$summary" ] || give_up 'the guest ended without a result'
grep '^not ok' "$work/console" | sort -u || true
echo "$summary"
[[ $summary == *' 0 failed' && $summary != '0 passed'* ]]
