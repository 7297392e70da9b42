#!/bin/sh
# Builds the sample images: build.sh OUTPUT-DIRECTORY [NAME...]   (no name: all of recipes/; --list: their names)
#
# Needs e2fsprogs, no root. The same e2fsprogs makes the same bytes: UUID, hash seed and clock are fixed, and
# contents are put in by debugfs one by one, because mke2fs -d takes names in the order the directory has them.
set -eu
umask 022
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin" MKE2FS_SKIP_PROGRESS=1 E2FSPROGS_FAKE_TIME=1700000000 E2FSCK_TIME=1700000000 SOURCE_DATE_EPOCH=1700000000

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=images/lib.sh
. "$here/lib.sh"

if [ "${1:-}" = --list ]; then
  for recipe in "$here"/recipes/*.sh; do basename "$recipe" .sh; done
  exit
fi
[ $# -ge 1 ] || fail 'usage: build.sh OUTPUT-DIRECTORY [NAME...] | --list'

mkdir -p "$1"
output=$(CDPATH='' cd -- "$1" && pwd)
shift
# shellcheck disable=SC2046 # names are single words
[ $# -gt 0 ] || set -- $("$here/build.sh" --list)

for name in "$@"; do
  recipe=$here/recipes/$name.sh
  [ -f "$recipe" ] || recipe=$here/corrupt/$name.sh
  [ -f "$recipe" ] || fail "no recipe $name in $here/recipes or $here/corrupt"
  work=$(mktemp -d "$output/.$name.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  image=$work/image
  : > "$work/script"
  # shellcheck source=/dev/null
  (. "$recipe")
  mv "$image" "$output/$name.img" # in one step: whoever sees the name sees a finished image
  rm -rf "$work"
done
