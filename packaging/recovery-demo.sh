# What restart.md promises, on the sample image, in a minute. Sourced by demo.sh, which has built and installed everything.
# shellcheck shell=sh
# shellcheck disable=SC2154 # say, fail, PREFIX and DEMO come from demo.sh

fuse4fs=$PREFIX/bin/fuse4fs
work=$DEMO/recovery
mnt=$work/mnt
image=$work/disk.img
sitter=
failures=0

# Whatever happens, nothing stays mounted and no process of ours behind.
clear_away() {
  exec 3<&- 4<&- 5<&-
  [ -z "$sitter" ] || kill "$sitter" 2> /dev/null || true
  for place in "$work/kernel" "$mnt"; do
    if grep -q " $place " /proc/self/mountinfo; then umount --lazy "$place" || true; fi
  done
  rm -rf --one-file-system "$work" "$staging"
}

# show COMMAND…: without the descriptors that are this shell's part in the play.
show() { say "$*"; "$@" 3<&- 4<&- 5<&-; }

# check WORDS COMMAND…: PASS when the command succeeds.
check() {
  words=$1
  shift
  if "$@"; then echo "PASS $words"; else echo "FAIL $words"; failures=$((failures + 1)); fi
}

worker() { "$fuse4fs" status "$mnt" --json | sed 's/.*"worker":\([0-9]*\).*/\1/'; }
inode_of() { stat -c %i "$1"; }
is() { [ "$1" = "$2" ]; }
is_not() { [ "$1" != "$2" ]; }
# A descriptor of a file that is gone gets ESTALE, and not a byte of whatever has its inode number now.
is_stale() { case $(cat <&"$1" 2>&1) in *'Stale file handle') ;; *) return 1 ;; esac; }

recovery_demo() {
  need_fuse || fail 'there is no /dev/fuse: load the module (modprobe fuse), or give the container the device'
  trap clear_away EXIT
  rm -rf --one-file-system "$work"
  mkdir -p "$mnt" "$work/kernel"
  images/build.sh "$work" sample
  mv "$work/sample.img" "$image"
  mkfifo "$work/go"
  LC_ALL=C
  export LC_ALL

  show "$fuse4fs" mount "$image" "$mnt"
  say 'somebody opens docs/poems/fire, docs/numbers.txt and big, and somebody works in docs'
  exec 3< "$mnt/docs/poems/fire" 4< "$mnt/docs/numbers.txt" 5< "$mnt/big"
  (cd "$mnt/docs" && read -r _ < "$work/go" && ls) > "$work/seen" 3<&- 4<&- 5<&- &
  sitter=$!

  echo
  say 'kill -9 of the worker'
  before=$(worker)
  kill -9 "$before"
  check 'a name that was never asked for is answered all the same: no such file' is "$(cat "$mnt/absent" 2>&1)" "cat: $mnt/absent: No such file or directory"
  check 'another worker serves' is_not "$(worker)" "$before"
  check 'what was opened before is read after' is "$(cat <&3)" "$(debugfs -R 'cat /docs/poems/fire' "$image" 2> /dev/null)"
  show "$fuse4fs" status "$mnt"

  echo
  say 'pause. Then somebody breaks the image, repairs it, and mounts it elsewhere: a new file gets the inode number of docs/numbers.txt'
  number=$(inode_of "$mnt/docs/numbers.txt")
  show "$fuse4fs" pause "$mnt"
  show debugfs -w -R 'clri /docs/numbers.txt' "$image" 2> /dev/null # its words are its version
  say "e2fsck -fy $image"
  e2fsck -fy "$image" || [ $? -le 2 ]
  show mount -o loop "$image" "$work/kernel"
  rm "$work/kernel/big"
  echo 'somebody else' > "$work/kernel/reborn"
  reused=$(inode_of "$work/kernel/reborn")
  show umount "$work/kernel"
  check "inode $number is another file now" is "$reused" "$number"
  show "$fuse4fs" resume "$mnt"

  echo
  check 'the descriptor of docs/numbers.txt is stale, and not the new file' is_stale 4
  check 'the descriptor of big, which was removed, is stale' is_stale 5
  check 'the new file is right' is "$(cat "$mnt/reborn")" 'somebody else'
  check 'big is gone' is "$(cat "$mnt/big" 2>&1)" "cat: $mnt/big: No such file or directory"
  echo go > "$work/go"
  wait "$sitter" || true
  sitter=
  check 'the working directory goes on, without the removed file' is "$(cat "$work/seen")" poems
  exec 3<&- 4<&- 5<&-
  check 'it unmounts' "$fuse4fs" umount --wait "$mnt"
  [ "$failures" = 0 ] || fail "$failures checks failed"
  say 'all checks passed'
}
