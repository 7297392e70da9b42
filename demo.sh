#!/bin/sh
# Builds and installs fuse4fs, then mounts the bundled sample image and reads from it.
#   ./demo.sh                all of that
#   ./demo.sh --setup-only   stops before mounting
#   ./demo.sh recovery       kills, breaks, repairs and exchanges what a live mount stands on instead, and checks what its users see
# Environment: PREFIX (/usr/local), DEMO (/var/tmp/fuse4fs-demo). Run it as often as you like.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here"
. packaging/setup.sh

PREFIX=${PREFIX:-/usr/local}
DEMO=${DEMO:-/var/tmp/fuse4fs-demo}
case ${1:-} in
  '' | --setup-only | recovery) ;;
  *) fail "unknown argument $1; usage: ./demo.sh [--setup-only | recovery]" ;;
esac
[ "$(id -u)" = 0 ] || fail 'installing needs root: run it as root or with sudo'

need_packages mke2fs=e2fsprogs debugfs=e2fsprogs fusermount3=fuse3 losetup=mount
need_dotnet
dotnet=$(readlink -f "$(command -v dotnet)")

say "building fuse4fs with .NET $(dotnet --version), packages from NuGet"
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
publish "$staging/fuse4fs"
chmod -R a+rX "$staging/fuse4fs"

say "installing it to $PREFIX/lib/fuse4fs, $PREFIX/bin/fuse4fs, /sbin/mount.fuse.fuse4fs, with manual page and completions"
mkdir -p "$PREFIX/lib" "$PREFIX/bin"
rm -rf "$PREFIX/lib/fuse4fs.new" # beside the old one and then in its place: mounts that are running keep theirs
cp -r "$staging/fuse4fs" "$PREFIX/lib/fuse4fs.new"
rm -rf "$PREFIX/lib/fuse4fs"
mv "$PREFIX/lib/fuse4fs.new" "$PREFIX/lib/fuse4fs"
# mount(8) and systemd start programs with next to no environment, so the runtime's place is written down.
cat > "$staging/wrapper" <<END
#!/bin/sh
DOTNET_ROOT=\${DOTNET_ROOT:-${dotnet%/*}}
export DOTNET_ROOT
exec $PREFIX/lib/fuse4fs/fuse4fs "\$@"
END
install -m 755 "$staging/wrapper" "$PREFIX/bin/fuse4fs"
sed "s|^exec fuse4fs|exec $PREFIX/bin/fuse4fs|" packaging/mount.fuse.fuse4fs > "$staging/helper"
install -m 755 "$staging/helper" /sbin/mount.fuse.fuse4fs
install -D -m 644 packaging/fuse4fs.1 "$PREFIX/share/man/man1/fuse4fs.1"
install -D -m 644 packaging/completions/fuse4fs.bash "$PREFIX/share/bash-completion/completions/fuse4fs"
install -D -m 644 packaging/completions/_fuse4fs "$PREFIX/share/zsh/site-functions/_fuse4fs"
install -D -m 644 packaging/completions/fuse4fs.fish "$PREFIX/share/fish/vendor_completions.d/fuse4fs.fish"
say "$("$PREFIX/bin/fuse4fs" --version | sed 's/^/fuse4fs /')"

if [ "${1:-}" = recovery ]; then
  . packaging/recovery-demo.sh
  recovery_demo
  exit 0
fi

say "building the sample image $DEMO/sample.img with mke2fs and debugfs"
mkdir -p "$DEMO/mnt"
if grep -q " $DEMO/mnt " /proc/self/mountinfo; then "$PREFIX/bin/fuse4fs" umount --wait "$DEMO/mnt"; fi
images/build.sh "$DEMO" sample
if [ "${1:-}" = --setup-only ]; then
  say "ready. Mount it with: fuse4fs mount $DEMO/sample.img $DEMO/mnt"
  exit 0
fi

need_fuse || fail 'there is no /dev/fuse: load the module (modprobe fuse), or give the container the device'
say "fuse4fs mount $DEMO/sample.img $DEMO/mnt"
"$PREFIX/bin/fuse4fs" mount "$DEMO/sample.img" "$DEMO/mnt"
say "ls -lR $DEMO/mnt"
ls -lR "$DEMO/mnt"
say "cat $DEMO/mnt/latest"
cat "$DEMO/mnt/latest"
say "sha256sum $DEMO/mnt/big"
sha256sum "$DEMO/mnt/big"
say "findmnt $DEMO/mnt"
findmnt "$DEMO/mnt"
say "It stays mounted. Unmount it with: umount $DEMO/mnt   (or: fuse4fs umount --wait $DEMO/mnt)"
