#!/bin/sh
# Who survives what: the same events under fuse4fs, fuse2fs and the kernel's ext4, behind the kernel's NFS server and NFS-Ganesha. A client
# holds files by NFS 4; what it gets after the event, with nothing in any cache, is the table that this prints, in Markdown.
# Nothing is expected here but of fuse4fs: it must read on, and say ESTALE where a file is gone.
# shellcheck source=tests/kernel/guest/lib.sh
. /test/lib.sh
# shellcheck source=tests/kernel/guest/nfs-lib.sh
. /test/nfs-lib.sh
image=/tmp/disk.img master=/tmp/master.img mnt=/export/disk disk=/tmp/disk seen=/nfs/disk
uuid=0c5e4ae8-8f4a-4b8e-9e63-1d6a5e8f2b7c
patience=60 # seconds for one answer: whatever takes longer is said to hang

# --- The image: two files, and a folder that no listing gets in one piece. ---

begin_nfs
mkdir -p $disk $mnt
mke2fs -q -F -t ext4 -U $uuid -N 8000 $master 32m
mount -o loop $master $disk
mkdir $disk/names
long=$(printf '%090d' 0)
for i in $(seq 3000); do : > "$disk/names/$long-$i"; done
# contents FILE: as the client says it.
contents() { printf 'open 1 %s\nread 1 0 400000\n' "$1" | client | tail -n 1; }
head -c 400000 /bin/busybox > $disk/keep
head -c 500000 /bin/busybox | tail -c 400000 > $disk/victim
head -c 600000 /bin/busybox | tail -c 400000 > /tmp/other
keep=$(contents $disk/keep) victim=$(contents $disk/victim) other=$(contents /tmp/other)
victim_number=$(stat -c %i $disk/victim)
umount $disk
{ printf '%s\n' . .. ok; seq 3000 | sed "s/^/$long-/"; } | sort > /tmp/names

# --- What serves the image: serve_X, end_X (as it should be), kill_X and back_X (its process dies; what an administrator does then). ---

serve_fuse4fs() { fuse4fs mount --log=/tmp/log $image $mnt; }
end_fuse4fs() { fuse4fs umount --wait $mnt; }
kill_fuse4fs() { fuse4fs pause --kill $mnt > /dev/null; }
back_fuse4fs() { fuse4fs resume $mnt > /dev/null; }

serve_fuse2fs() {
  fuse2fs $image $mnt -f -o ro,allow_other,default_permissions > /tmp/fuse2fs.log 2>&1 &
  fuse2fs=$!
  wait_for 20 grep -q " $mnt fuse" /proc/mounts # and no look at it: libfuse's handles are numbers in the order of looking
}
end_fuse2fs() { umount $mnt && wait "$fuse2fs"; }
kill_fuse2fs() { kill -9 "$fuse2fs"; wait "$fuse2fs" 2> /dev/null; umount -l $mnt; }
back_fuse2fs() { serve_fuse2fs; }

serve_ext4() { mount -o loop,ro $image $mnt; }
end_ext4() { umount $mnt; }
kill_ext4() { umount $mnt; } # no process; but e2fsck and others want it unmounted
back_ext4() { serve_ext4; }

# --- NFS servers. ---

begin_knfsd() { export_by_knfsd $uuid $mnt && start_knfsd "$1"; }
refresh_knfsd() { exportfs -f; } # it finds what is mounted there now
begin_ganesha() { start_ganesha $uuid $mnt; }
refresh_ganesha() { :; }

# --- The client: it holds two files, and is in the middle of a listing. ---

# shellcheck disable=SC3045 # busybox has read -t
# ask_in_time: what ask does, or "hangs".
ask_in_time() {
  echo "$*" >&8
  read -r -t $patience answer <&9 || answer=hangs
  echo "$answer"
}
mkfifo /tmp/listing

hold() {
  case $nfs in
    knfsd) mount_nfs 4.2 $mnt $seen ;;
    ganesha) mount_nfs 4.1 $mnt $seen ;;
  esac || return 1
  begin_client
  ask_in_time open 1 $seen/keep > /dev/null
  ask_in_time open 2 $seen/victim > /dev/null
  [ "$(ask_in_time read 1 0 400000) $(ask_in_time read 2 0 400000)" = "$keep $victim" ] || return 1
  client names $seen/names > /tmp/listing &
  lister=$!
  exec 7< /tmp/listing
  # shellcheck disable=SC3045
  for name in 1 2 3; do read -r -t $patience name <&7; echo "$name"; done > /tmp/found
}

let_go() {
  kill -9 "$lister" "$client"
  exec 7<&- 8>&- 9<&-
  wait "$lister" "$client" 2> /dev/null
  umount $seen 2> /dev/null || umount -f -l $seen
}

# verdict ANSWER EXPECTED
verdict() {
  case $1 in
    "$2") echo 'reads on' ;;
    "$keep" | "$victim" | "$other") echo '**foreign bytes**' ;;
    'ok 0 '*) echo 'nothing' ;;
    ok*) echo '**wrong bytes**' ;;
    *) echo "$1" ;;
  esac
}

listing() {
  if ! timeout $patience cat <&7 >> /tmp/found; then
    echo hangs
    return
  fi
  last=$(tail -n 1 /tmp/found)
  case $last in
    ok)
      sort /tmp/found | diff /tmp/names - > /tmp/differs
      if [ ! -s /tmp/differs ]; then echo complete; else echo "**$(grep -c '^-[^-]' /tmp/differs) missing, $(grep -c '^+[^+]' /tmp/differs) foreign or twice**"; fi
      ;;
    *) echo "$last" ;;
  esac
}

# --- Events. Each ends with everything there again; false: it cannot be done. ---

# The kernel's ext4 deletes the victim, and gives its number to another file.
use_again() {
  mount -o loop $image $disk
  rm $disk/victim
  for try in $(seq 200); do
    cat /tmp/other > "$disk/other$try"
    [ "$(stat -c %i "$disk/other$try")" != "$victim_number" ] || break
  done
  note "$fs, $nfs: the other file has inode $(stat -c %i "$disk/other$try"), the victim had $victim_number"
  umount $disk
}
check() { e2fsck -fy $image > /tmp/fsck 2>&1 || [ $? = 1 ]; }
meanwhile() { "kill_$fs" && "$@" && "back_$fs" && "refresh_$nfs"; }
event_killed() {
  case $fs in
    fuse4fs) kill_worker $mnt ;; # its supervisor does the rest
    fuse2fs) meanwhile true ;;
    ext4) false ;;
  esac
}
event_checked() { meanwhile check; }
event_restarted() { "stop_$nfs"; "begin_$nfs" again; }
all_again() { "stop_$nfs"; "end_$fs" && "$@" && "serve_$fs" && "begin_$nfs" again; }
event_again() { all_again check; }
event_used() { meanwhile use_again; }
event_used_again() { all_again use_again; }

# --- The table. ---

# cell EVENT WHAT RESULT
cell() {
  echo "$2 = $3" | sed "s/^/# $fs, $nfs: $1: /"
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$fs-$nfs" "$3" >> /tmp/cells
}
# expect WHAT GOT: what ours must do.
expect() { [ $fs != fuse4fs ] || same "fuse4fs over $nfs, $event: $1" "$2" "$3"; }

for nfs in knfsd ganesha; do
  for fs in fuse4fs fuse2fs ext4; do
    for event in killed checked restarted again used used_again; do
      cp $master $image
      client='' lister=''
      "serve_$fs" || not_ok "$fs mounts"
      "begin_$nfs" first || not_ok "$nfs starts"
      if ! hold; then
        for what in 'an open file' 'a listing' 'a deleted file'; do cell $event "$what" 'cannot be exported'; done
      elif ! "event_$event" > /tmp/event 2>&1; then
        note "$fs, $nfs, $event: $(tail -n 2 /tmp/event | tr '\n' ' ')"
        grep -q busy /tmp/event && why='not possible: busy' || why='–'
        for what in 'an open file' 'a listing' 'a deleted file'; do cell $event "$what" "$why"; done
      else
        sed 's/^#/# /' /tmp/event
        # Others use what is mounted, too. libfuse numbers files as they are looked up, so that the order decides what its handles mean: another one than the
        # client's, or the client's with the other file in the victim's place.
        case $event in
          used*) others="$mnt/keep $mnt/other*" ;;
          *) others="$mnt/victim $mnt/keep" ;;
        esac
        timeout $patience sh -c "cat $others; find $mnt" > /dev/null 2>&1
        drop_caches
        got=$(verdict "$(ask_in_time read 1 0 400000)" "$keep")
        cell $event 'an open file' "$got"
        expect 'an open file' 'reads on' "$got"
        case $event in
          used*)
            got=$(verdict "$(ask_in_time read 2 0 400000)" "$victim")
            cell $event 'a deleted file' "$got"
            expect 'a deleted file' ESTALE "$got"
            ;;
        esac
        got=$(listing)
        cell $event 'a listing' "$got"
        expect 'a listing' complete "$got"
      fi
      let_go > /dev/null 2>&1
      "stop_$nfs" > /dev/null 2>&1
      "end_$fs" > /dev/null 2>&1 || { "kill_$fs" > /dev/null 2>&1; umount -l $mnt; }
      # A server that dies is worth a WARNING to knfsd (nfserrno); that is not our affair, but it is worth saying.
      if [ $fs != fuse4fs ]; then dmesg -c | grep WARNING | sed "s/^/# $fs, $nfs, $event: /"; fi
    done
  done
done

# row EVENT WHAT TITLE
row() {
  printf '| %s: %s |' "$2" "$3"
  for nfs in knfsd ganesha; do
    for fs in fuse4fs fuse2fs ext4; do printf ' %s |' "$(awk -F '\t' -v e="$1" -v w="$2" -v c="$fs-$nfs" '$1 == e && $2 == w && $3 == c { print $4 }' /tmp/cells)"; done
  done
  echo
}
echo '| what: event | knfsd: fuse4fs | fuse2fs | ext4 | Ganesha: fuse4fs | fuse2fs | ext4 |'
echo '|---|---|---|---|---|---|---|'
for what in 'an open file' 'a listing'; do
  row killed "$what" 'the process is killed'
  row checked "$what" 'and e2fsck run before it is back'
  row restarted "$what" 'the NFS server is restarted'
  row again "$what" 'unmounted, e2fsck, mounted, NFS server restarted'
done
for what in 'an open file' 'a listing' 'a deleted file'; do
  row used "$what" 'killed, an inode used again'
  row used_again "$what" 'unmounted, an inode used again, mounted, NFS server restarted'
done
