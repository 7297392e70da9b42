# shellcheck shell=bash
# The guest's disk: a root file system with busybox, e2fsprogs, the tests, and as much as the scenarios need of fuse4fs with the .NET runtime and of
# NFS servers. Sourced by run.sh: wants $here, $cache, $work, and skip, say and quietly. Everything goes to $root.

root=$work/root
# Packages that are unpacked for the guest, not installed: as services they would start here.
nfs_packages=(nfs-kernel-server nfs-common rpcbind nfs-ganesha nfs-ganesha-vfs)
unpacked=$work/unpacked

# libraries FILE…: puts the libraries that programs need into the guest. (ldd fails for those that need none.)
libraries() {
  local places=$unpacked/usr/lib/x86_64-linux-gnu:$unpacked/lib/x86_64-linux-gnu:$unpacked/usr/lib/ganesha
  { LD_LIBRARY_PATH=$places ldd "$@" 2> /dev/null || true; } | sed -n 's/^\t[^/]*\(\/[^ ]*\) (0x.*/\1/p' | sort -u | while read -r library; do
    case $library in
      "$root"/*) ;;
      *) [ -e "$root${library#"$unpacked"}" ] || install -D -m 755 "$library" "$root${library#"$unpacked"}" ;;
    esac
  done
}

# programs NAME…: puts programs of this machine, or unpacked ones, into the guest's /bin.
programs() {
  local name file
  for name in "$@"; do
    file=$(PATH=$unpacked/usr/sbin:$unpacked/sbin:$unpacked/usr/bin:$unpacked/bin:$PATH command -v "$name")
    rm -f "$root/bin/$name"
    install -m 755 "$file" "$root/bin/$name"
    libraries "$root/bin/$name"
  done
}

base_root() {
  local applet
  mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,mnt,etc,test,var/empty}
  install -m 755 "$(command -v busybox)" "$root/bin/busybox"
  "$(command -v busybox)" --list | while read -r applet; do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
  programs e2fsck debugfs mke2fs
  libraries "$root/bin/busybox"
  [ ! -e /etc/mke2fs.conf ] || cp /etc/mke2fs.conf "$root/etc/"
  echo 'root:x:0:0:root:/:/bin/sh' > "$root/etc/passwd"
  echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >> "$root/etc/passwd"
  install -m 755 "$here"/guest/* "$root/test/"
  install -m 755 "$here/guest/init" "$root/init"
  gcc -O2 -Wall -Wextra -Werror -static -o "$root/bin/client" "$here/client.c"
  gcc -O2 -Wall -Wextra -Werror -static -pthread -o "$root/bin/wire-test" "$here/wire-test.c"
}

fuse4fs_root() {
  local runtime dotnet_root library
  publish "$root/fuse4fs" -p:GenerateDocumentationFile=false
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
}

# unpack_nfs: what this machine lacks of nfs_packages, and of what they depend on. Kept for when there is no network. False if there is nothing.
unpack_nfs() {
  local kept=$cache/nfs-packages package
  local fetch=(apt-get -o "Dir::Cache::archives=$work/archives" -o APT::Sandbox::User=root -y -q --no-install-recommends --download-only
    install "${nfs_packages[@]}")
  mkdir -p "$work/archives/partial" "$unpacked"
  if "${fetch[@]}" > "$work/apt.log" 2>&1 || { apt-get update -q > /dev/null 2>&1 && "${fetch[@]}" > "$work/apt.log" 2>&1; }; then
    rm -rf "$kept"
    mkdir "$kept"
    find "$work/archives" -name '*.deb' -exec mv -t "$kept" {} +
  elif [ -e "$kept" ]; then
    say 'no network: the NFS servers are those from before'
  else
    cat "$work/apt.log" >&2
    return 1
  fi
  find "$kept" -name '*.deb' | while read -r package; do dpkg-deb -x "$package" "$unpacked"; done
}

# nfs_root KERNEL: NFS servers, the modules of this kernel, and images that are quicker made here.
nfs_root() {
  local file
  programs rpcbind rpc.mountd exportfs rpc.nfsd mount.nfs ganesha.nfsd fuse2fs
  for file in usr/lib/x86_64-linux-gnu/{ganesha/libfsalvfs,libnfsidmap/nsswitch}.so; do
    install -D -m 755 "$(find "$unpacked/$file" "/$file" -prune 2> /dev/null | head -n 1)" "$root/$file"
    libraries "$root/$file"
  done
  for file in netconfig protocols services rpc nsswitch.conf; do [ ! -e "/etc/$file" ] || cp "/etc/$file" "$root/etc/"; done
  echo '_rpc:x:100:65534:rpcbind:/run/rpcbind:/bin/sh' >> "$root/etc/passwd"
  mkdir -p "$root"/{export,nfs,var/lib/nfs}
  : > "$root/etc/exports"
  ln -s /proc/self/mounts "$root/etc/mtab" # where Ganesha looks for what it is to export
  printf '[General]\nDomain = guest\n' > "$root/etc/idmapd.conf"
  cp -r "$1/lib/modules" "$root/lib/"
  # The kernel starts it by this name.
  ln -s ../bin/modprobe "$root/sbin/modprobe"
  say 'an image with a directory of 50,000 files'
  mkdir -p "$work/many/many"
  (cd "$work/many/many" && seq -f 'file %05g' 50000 | tr '\n' '\0' | xargs -0 touch)
  mke2fs -q -F -t ext4 -m 0 -N 51000 -d "$work/many" "$root/test/many.img" 48m > /dev/null
  # mke2fs leaves large directories without an index; no kernel does.
  e2fsck -fyD "$root/test/many.img" > /dev/null 2>&1 || [ $? = 1 ]
}

make_disk() {
  chmod -R a+rX "$root"
  mke2fs -q -F -t ext4 -O '^has_journal' -m 0 -d "$root" "$work/root.img" "$(($(du -sm "$root" | cut -f 1) * 5 / 4 + 16))m" > /dev/null
}

# begin_with_modules: the archive that Debian's kernel begins with, since it has the disk's driver as a module.
begin_with_modules() {
  local first=$work/first
  rm -rf "$first"
  mkdir -p "$first"/{bin,dev,root}
  install -m 755 "$(command -v busybox)" "$first/bin/busybox"
  find "$kernel/lib/modules" -name virtio_blk.ko -exec cp {} "$first/" \;
  install -m 755 "$here/guest/first" "$first/init"
  (cd "$first" && find . | busybox cpio -o -H newc 2> /dev/null)
}
