# shellcheck shell=sh disable=SC2154,SC2059
# What recipes are written in. Sourced by build.sh, which sets $name, $image and $work.
#
# A recipe calls `new_image` (mke2fs), then says what goes in: `put`, `directory`, `symlink`, `set_field`, … collect a script;
# `finish` gives the script to debugfs and lets e2fsck confirm that the result is sound.

fail() { echo "images: $*" >&2; exit 1; }

# new_image SIZE MKE2FS-OPTION…: an empty filesystem in a sparse file.
new_image() {
  truncate -s "$1" "$image"
  shift
  identity=$(printf '%s' "$name" | md5sum | sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/')
  label=$(printf '%.16s' "$name")
  mke2fs -q -F -U "$identity" -L "$label" -E "hash_seed=$identity${extended:+,$extended}" "$@" "$image" > "$work/errors" 2>&1 \
    || { cat "$work/errors" >&2; fail "$name: mke2fs failed"; }
}

debug() { printf '%s\n' "$1" >> "$work/script"; }      # one line for debugfs
source_file() { mktemp "$work/source.XXXXXX"; }        # a place for contents until `finish`

# put PATH: a file with the contents of standard input. (debugfs takes a bare name only, hence cd.)
put() {
  contents=$(source_file)
  cat > "$contents"
  chmod 644 "$contents"
  put_file "$contents" "$1"
}

put_file() {
  debug "cd \"${2%/*}/\""
  debug "write $1 \"${2##*/}\""
  debug 'cd /'
}

directory() { for path in "$@"; do debug "mkdir \"$path\""; done; }
symlink() { debug "symlink \"$1\" \"$2\""; }           # symlink PATH TARGET
set_field() { debug "set_inode_field \"$1\" $2 $3"; }  # set_field PATH FIELD VALUE, fields as debugfs has them
owner() { set_field "$1" uid "$2"; set_field "$1" gid "$3"; }

# hard_link TARGET PATH…: debugfs makes the name only, so the count is set here.
hard_link() {
  target=$1
  shift
  for path in "$@"; do debug "ln \"$target\" \"$path\""; done
  set_field "$target" links_count $(($# + 1))
}

# attribute PATH NAME: an extended attribute with the value on standard input.
attribute() {
  value=$(source_file)
  cat > "$value"
  debug "ea_set -f $value \"$1\" \"$2\""
}

# set_times PATH SECONDS NANOSECONDS: all four, as ext4 packs them (34-bit seconds around 1970, 30-bit nanoseconds).
set_times() {
  low=$(($2 & 0xffffffff))
  epoch=$(((($2 - ((low ^ 0x80000000) - 0x80000000)) >> 32) & 3))
  for field in atime ctime mtime crtime; do
    set_field "$1" $field "$(printf '0x%x' $low)"
    set_field "$1" ${field}_extra "$(printf '0x%x' $(($3 << 2 | epoch)))"
  done
}

# text BYTES [KEY]: lines that differ from each other and, with another key, from every other file.
text() { seq -f "${2:-text} line %010.0f of a file whose lines all differ" 1 $(($1 / 32 + 1)) | head -c "$1"; }

# blocks COUNT SIZE: blocks of SIZE bytes, a number in each, with a block of zeros (so: a hole) after each.
blocks() {
  awk -v count="$1" -v size="$2" 'BEGIN {
    zeros = sprintf("%" size "s", ""); gsub(/ /, "@", zeros)
    for (i = 0; i < count; i++) printf "%-" (size - 1) "d\n%s", i, zeros }' | tr '@' '\0'
}

# Little-endian numbers as bytes.
le16() { printf "\\$(printf %03o $(($1 & 255)))\\$(printf %03o $(($1 >> 8 & 255)))"; }
le32() { le16 $(($1 & 65535)); le16 $(($1 >> 16 & 65535)); }

# access_list TAG:PERMISSIONS:ID…: a POSIX ACL as setxattr(2) takes it. Tags: 1 owner, 2 user, 4 group, 8 named group, 16 mask, 32 other.
access_list() {
  le32 2
  for entry in "$@"; do
    rest=${entry#*:}
    le16 "${entry%%:*}"; le16 "${rest%%:*}"; le32 "${rest##*:}"
  done
}

# For images that are broken on purpose (corrupt/): bytes put where they do not belong, no checksum repaired.
overwrite() { dd of="$image" bs=64K seek="$1" oflag=seek_bytes conv=notrunc status=none; } # overwrite OFFSET: with standard input
ask() { debugfs -R "$1" "$image" 2> /dev/null; }                                          # ask COMMAND: what debugfs answers
block_of() { ask "bmap $1 $2"; }                                                          # block_of PATH INDEX: of a file's data
inode_at() {                                                                              # inode_at PATH BLOCK-SIZE: the offset of its inode
  set -- "$2" $(ask "imap $1" | sed -n 's/.*located at block \([0-9]*\), offset \(0x[0-9a-f]*\).*/\1 \2/p')
  echo $(($2 * $1 + $3))
}
pointers() {                                                                              # pointers NUMBER: 4 KiB of the same one
  le32 "$1" > "$work/word"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    cat "$work/word" "$work/word" > "$work/words"
    mv "$work/words" "$work/word"
  done
  cat "$work/word"
}

# populate: debugfs runs what was collected. It reports errors only by printing.
populate() {
  debugfs -w -f "$work/script" "$image" > "$work/output" 2> "$work/errors" || fail "$name: debugfs failed"
  if grep -m 5 -v '^debugfs [0-9.]* ' "$work/errors" >&2; then fail "$name: debugfs complained, see above"; fi
  : > "$work/script"
  rm -f "$work"/source.*
}

# repair E2FSCK-OPTION…: for what is left to e2fsck on purpose: directory indexes (-D), checksums, counts.
repair() { e2fsck -fy "$@" "$image" > "$work/output" 2>&1 || [ $? -eq 1 ] || { cat "$work/output" >&2; fail "$name: e2fsck could not repair"; }; }

check() { e2fsck -fn "$image" > "$work/output" 2>&1 || { cat "$work/output" >&2; fail "$name: e2fsck finds the image damaged"; }; }

finish() { populate; check; }

# basic_tree: a little of everything that every ext filesystem can hold.
basic_tree() {
  directory /docs /docs/deep /docs/deep/deeper /empty
  echo 'A file in the root.' | put /hello.txt
  text 5000 guide | put /docs/guide.txt
  text 100 note | put /docs/deep/deeper/note
  for size in 0 1 511 512 1023 1024 1025 4095 4096 4097 65536 300001; do text $size size | put /docs/size-$size; done
  symlink /link docs/guide.txt
  symlink /docs/up ../hello.txt
  symlink /dangling nowhere
  hard_link /hello.txt /docs/hello-again
  owner /docs/guide.txt 1000 100
  set_field /docs/deep/deeper/note mode 0100600
  printf 'a value' | attribute /docs/guide.txt user.comment
}

# big_directory COUNT: a directory of COUNT names, each its own inode, that e2fsck then indexes.
big_directory() {
  directory /big
  debug 'cd /big'
  empty=$(source_file)
  number=0
  while [ $number -lt "$1" ]; do
    debug "write $empty entry-$number-$(printf '\303\251\377%.*s' $((number % 30)) abcdefghijklmnopqrstuvwxyz0123456789)"
    number=$((number + 1))
  done
  debug 'cd /'
}
