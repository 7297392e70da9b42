# shellcheck shell=bash
# The kernels that guests boot. Sourced by run.sh: wants $here, $cache, $work, $patch, $debug and $keep, and skip, give_up, seconds and say.
# patched_kernel and debian_kernel set
#   kernel   the folder that has bzImage, and for Debian's kernel lib/modules; empty if it is to be skipped
#   title    what to say of it

source_package=linux-source-7.2 source_suite=trixie-backports
image_package=linux-image-cloud-amd64 image_suite=trixie

# apt with lists and a cache of its own: the suites are none that this machine's apt must know.
apt_options=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/apt/sources" -o "Dir::State::Lists=$work/apt/lists"
  -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User=root)

# newest PACKAGE SUITE: its version, once apt knows the suite.
newest() {
  rm -rf "$work/apt/sources"
  mkdir -p "$work/apt/sources" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
  printf 'Types: deb\nURIs: http://deb.debian.org/debian\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$2" /usr/share/keyrings/debian-archive-keyring.gpg > "$work/apt/sources/$2.sources"
  apt-get "${apt_options[@]}" -o APT::Update::Error-Mode=any update > "$work/apt.log" 2>&1 || return 1
  apt-cache "${apt_options[@]}" policy "$1" | sed -n 's/^ *Candidate: //p' | grep -vx '(none)'
}

# download PACKAGE VERSION: into $work.
download() { (cd "$work" && apt-get "${apt_options[@]}" download "$1=$2" > "$work/apt.log" 2>&1); }

# choose PACKAGE SUITE PATTERN: the version to take, as $version, and its folder, PATTERN with the version for its "*", as $kernel.
# Without the network the newest that is kept does.
choose() {
  if version=$(newest "$1" "$2"); then
    kernel=$cache/${3/\*/$version}
    return
  fi
  kernel=$(find "$cache" -maxdepth 1 -name "$3" 2> /dev/null | sort -V | tail -n 1)
  if [ -z "$kernel" ]; then
    cat "$work/apt.log" >&2
    skip "$1 cannot be fetched from $2, and none is in $cache"
    return
  fi
  version=${kernel##*/}
  version=${version#"${3%%\**}"} version=${version%"${3##*\*}"}
  say "no network: $1 $version is here from before"
}

# --- Linux 7.2 with LOOKUP_HANDLE, built from Debian's source. ---

patched_kernel() {
  local config=$work/kernel.config hash
  cat "$here/kernel.config" ${debug:+"$here/debug.config"} > "$config"
  hash=$(cat "$config" ${patch:+"$patch"} | sha256sum | cut -c 1-16)
  choose "$source_package" "$source_suite" "*-$hash"
  if [ -n "$kernel" ] && [ ! -e "$kernel/bzImage" ]; then build_kernel "$config"; fi
  [ -n "$kernel" ] || return 0
  title="$source_package $version, $([ -n "$patch" ] && echo patched || echo as Debian has it), built in $(cat "$kernel/took")"
}

build_kernel() {
  local config=$1 tree=$work/tree start=$SECONDS
  [ -z "$keep" ] || tree=$cache/tree-$version${patch:+-patched}
  if [ ! -e "$tree/source/Makefile" ]; then
    say "fetching $source_package $version"
    download "$source_package" "$version" || {
      cat "$work/apt.log" >&2
      skip "$source_package $version cannot be downloaded"
      kernel=
      return
    }
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

# --- Debian's own kernel, unpacked and not installed. ---

debian_kernel() {
  local image
  choose "$image_package" "$image_suite" 'debian-*'
  if [ -n "$kernel" ] && [ ! -e "$kernel/bzImage" ]; then
    # The package is empty: it depends on the kernel's.
    image=$(apt-cache "${apt_options[@]}" show "$image_package=$version" | sed -n 's/^Depends: \([^ ,]*\).*/\1/p')
    say "fetching $image $version"
    if download "$image" "$version"; then
      mkdir -p "$work/image" "$kernel/lib"
      dpkg-deb -x "$work/$image"_*.deb "$work/image"
      rm -rf "$work/$image"_*.deb "$kernel/lib/modules"
      mv "$work/image"/usr/lib/modules "$kernel/lib/"
      (cd "$kernel"/lib/modules/*/kernel && find . -name '*.ko.xz' ! -path './fs/*' ! -path './net/sunrpc/*' ! -path './net/dns_resolver/*' \
        ! -path './drivers/block/*' ! -path './crypto/*' ! -path './lib/*' -delete && find . -name '*.ko.xz' -exec xz -d {} +)
      busybox depmod -b "$kernel" "$(ls "$kernel/lib/modules")"
      mv "$work/image"/boot/vmlinuz-* "$kernel/bzImage"
    else
      cat "$work/apt.log" >&2
      skip "$image $version cannot be downloaded"
      kernel=
    fi
  fi
  title="$image_package $version, as Debian has it"
}
