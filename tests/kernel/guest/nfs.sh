#!/bin/sh
# The kernel's NFS server over fuse4fs, and the kernel's NFS client: the whole tree, then a client that holds files while the worker
# is killed, the image is repaired, everything is unmounted and mounted again, and an inode is given to another file.   RESTARTS: how many for a client that reads all the time
# shellcheck source=tests/kernel/guest/lib.sh
. /test/lib.sh
# shellcheck source=tests/kernel/guest/nfs-lib.sh
. /test/nfs-lib.sh
image=/tmp/disk.img mnt=/export/disk many=/export/many disk=/tmp/disk
versions='3 4.1 4.2'
began=$(cut -d . -f 1 /proc/uptime)
step() { note "$(($(cut -d . -f 1 /proc/uptime) - began)) s: $*"; }

# serve IMAGE FOLDER LOG
serve() { fuse4fs mount --log="$3" "$1" "$2" 2> /tmp/said || not_ok "fuse4fs mounts: $(cat /tmp/said "$3")"; }

# describe FOLDER [FORMAT]: names, types, modes, owners, links, numbers, sizes, blocks, times, devices, targets; and contents.
describe() {
  (cd "$1" && {
    find . ! -name lost+found -exec stat -c "${2:-%n %A %u %g %h %i %s %b %Y %Z %t:%T %N}" {} + | sort
    find . -type f -exec sha256sum {} + | sort
  }) 2>&1
}

for_copies='%n %A %u %g %h %t:%T %N'

# 1. A tree of the kernel's making.
begin_nfs
mkdir -p $disk $mnt $many
mke2fs -q -F -t ext4 $image 24m
mount -o loop $image $disk || not_ok 'loop mount'
mkdir -p $disk/docs $disk/deep/er/and/deeper $disk/empty
head -c 1000000 /bin/busybox > $disk/keep
head -c 300000 /bin/busybox > $disk/victim
head -c 300000 /bin/busybox > $disk/changed
for i in $(seq 200); do echo "$i" > "$disk/docs/$i"; done
printf 'before' > $disk/deep/sparse
dd if=/bin/busybox of=$disk/deep/sparse bs=1000 seek=3000 count=5 2> /dev/null
: > $disk/deep/nothing
ln $disk/keep $disk/deep/hard
ln -s ../keep $disk/deep/link
ln -s "$(printf '%0200d' 0)" $disk/deep/long
mkfifo $disk/deep/pipe
mknod $disk/deep/device c 1 3
echo 'two words' > "$disk/deep/er/two words"
echo utf8 > "$disk/deep/er/größe"
echo longest > "$disk/deep/er/$(printf '%0255d' 0)"
printf 'newline' > "$disk/deep/er/a
b"
chmod 4755 $disk/deep/hard
chmod 600 $disk/deep/nothing
chown 1000:2000 $disk/deep/er
touch -d '1999-12-31 23:59:59' $disk/deep/er/and
umount $disk
mount -o loop,ro $image $disk
describe $disk > /tmp/expected
describe $disk "$for_copies" > /tmp/expected-copy
umount $disk
step "a tree of $(grep -c . /tmp/expected) lines"

# 2. Served, exported and compared.
serve $image $mnt /tmp/log
serve /test/many.img $many /tmp/log.many
step 'mounted'
uuid=$(fuse4fs fsid $mnt | sed -n 's/^fsid=//p')
begin_server() {
  export_by_knfsd "$uuid" $mnt
  export_by_knfsd 78 $many
  start_knfsd "$1"
}
begin_server first
for version in $versions; do
  mount_nfs "$version" $mnt "/nfs/$version"
  same "v$version: mounts" 0 $?
  describe "/nfs/$version" > /tmp/got
  diff /tmp/expected /tmp/got > /tmp/differs
  same "v$version: the whole tree is what was put in" '' "$(head -n 20 /tmp/differs)"
done
copy=/tmp/copy
cp -a /nfs/4.2 $copy
describe $copy "$for_copies" | diff /tmp/expected-copy - > /tmp/differs
same "v4.2: so is a copy by cp -a" '' "$(head -n 20 /tmp/differs)"
rm -rf $copy
step 'compared'

# 3. 50,000 names, listed while the worker is killed: who reads them stops until it is dead. By version 3, for with 4 the server looks each
# of them up, which takes a minute.
{ printf '%s\n' . .. ok; seq -w 50000 | sed 's/^/file /'; } | sort > /tmp/names
mkfifo /tmp/listing
mount_nfs 3 $many /nfs/many
client names /nfs/many/many > /tmp/listing &
exec 7< /tmp/listing
for name in 1 2 3; do read -r name <&7; echo "$name"; done > /tmp/found
kill_worker $many
cat <&7 >> /tmp/found
exec 7<&-
sort /tmp/found | diff /tmp/names - > /tmp/differs
same 'v3: each of 50,000 names is listed once while the worker is killed' '' "$(head -n 5 /tmp/differs)"
umount /nfs/many
step 'a large directory'

# 4. A client that holds files, a folder, a mapping and its place, by each version; what it sees after each event.
begin_client
held=0
for version in $versions; do
  ask open $((held + 1)) "/nfs/$version/keep" > /dev/null
  ask open $((held + 2)) "/nfs/$version/victim" > /dev/null
  ask open $((held + 3)) "/nfs/$version/docs" dir > /dev/null
  ask map $((held + 1)) > /dev/null
  held=$((held + 10))
done
ask cd /nfs/4.2/docs > /dev/null
keep=$(ask read 1 0 1000000) names=$(ask list 3)
ask read 2 0 4096 > /dev/null
number=$(ask stat 2 | sed 's/.*inode=\([0-9]*\).*/\1/')
same 'the client reads' 'ok 1000000 *' "$keep"

# goes_on EVENT: with nothing in any cache, but for pages that were touched before.
place=0
goes_on() {
  drop_caches
  held=0 place=$((place + 200000))
  byte="ok $(($(od -An -t u1 -j $place -N 1 /bin/busybox)))"
  for version in $versions; do
    same "v$version: after $1 a file is read" "$keep" "$(ask read $((held + 1)) 0 1000000)"
    same "v$version: after $1 its mapping is" "$byte" "$(ask touch $((held + 1)) $place)"
    same "v$version: after $1 a folder is listed" "$names" "$(ask list $((held + 3)))"
    held=$((held + 10))
  done
  same "after $1 the client is where it was" 'ok /nfs/4.2/docs' "$(ask cwd)"
  same "after $1 it finds a name there" 'ok inode=*' "$(ask stat ./100)"
  step "$1"
}
kill_worker $mnt
goes_on "a worker's death"
# It is refused where the next worker takes more than 5 s to tell its version, as it may, emulated and under load.
wait_for 120 fuse4fs restart --fsck=-fy $mnt || not_ok 'restart --fsck'
goes_on 'restart --fsck'
stop_knfsd
fuse4fs umount --wait $mnt || not_ok 'umount'
serve $image $mnt /tmp/log
begin_server again
goes_on 'another mount and a restart of the NFS server'

# 5. The victim is deleted, its number given to another file; a file is changed in its place.
drop_caches
ask read 2 0 4096 > /dev/null
cat /nfs/3/changed > /dev/null
fuse4fs pause --kill $mnt > /dev/null || not_ok 'pause'
mount -o loop $image $disk
rm $disk/victim
secret="somebody else's secret"
for try in $(seq 100); do
  yes "$secret" | head -c 300000 > "$disk/other$try"
  [ "$(stat -c %i "$disk/other$try")" != "$number" ] || break
done
same "ext4 uses inode $number again" "$number" "$(stat -c %i "$disk/other$try")"
printf 'after' | dd of=$disk/changed conv=notrunc 2> /dev/null
umount $disk
fuse4fs resume $mnt > /tmp/said 2>&1 || not_ok "resume: $(cat /tmp/said)"
# The server takes pages from the cache of our mount (splice). Not by version 4: there the client has a delegation, and asks nobody.
same 'v3: what was changed in its place is seen' after "$(head -c 5 /nfs/3/changed)"
held=0
for version in $versions; do
  same "v$version: the deleted file's contents are stale" ESTALE "$(ask read $((held + 2)) 100000 100000)"
  held=$((held + 10))
done
drop_caches
held=0
for version in $versions; do
  same "v$version: and so they are from cold caches" ESTALE "$(ask read $((held + 2)) 0 300000)"
  same "v$version: its descriptor is" ESTALE "$(ask stat $((held + 2)))"
  # ENOENT; but a client that has a delegation of the file does not ask for its name.
  same "v$version: its name is gone" 'E[NS]*' "$(ask stat "/nfs/$version/victim")"
  same "v$version: the other file is what it is" "$secret" "$(head -n 1 "/nfs/$version/other$try")"
  held=$((held + 10))
done
goes_on 'an inode was used again'
end_client

# 6. A client that reads all the time, from the server, while workers come and go.
sum=$(sha256sum < /nfs/4.2/keep)
: > /tmp/reads
: > /tmp/failures
: > /tmp/reading
while [ -e /tmp/reading ]; do
  for version in $versions; do
    drop_caches
    sha256sum "/nfs/$version/keep" > /tmp/read 2>&1 || echo "v$version: an error: $(cat /tmp/read)" >> /tmp/failures
    [ "$(cut -d ' ' -f 1 /tmp/read)" = "${sum%% *}" ] || echo "v$version: wrong bytes: $(cat /tmp/read)" >> /tmp/failures
    echo >> /tmp/reads
  done
done &
reader=$!
supervisor=$(fuse4fs status --json $mnt | sed -n 's/.*"supervisor":\([0-9]*\).*/\1/p')
worker() { cat "/proc/$supervisor"/task/*/children; }
replaced() { [ -n "$(worker)" ] && [ "$(worker)" != "$old" ]; }
read_since() { [ "$(grep -c '' /tmp/reads)" -ge $(($1 + 3)) ]; }
for restart in $(seq "$RESTARTS"); do
  old=$(worker) reads=$(grep -c '' /tmp/reads)
  if [ $((restart % 10)) = 0 ]; then
    wait_for 120 fuse4fs restart --fsck=-fy $mnt || not_ok "restart $restart"
  else
    # shellcheck disable=SC2086 # with a space behind it
    kill -9 $old
  fi
  wait_for 60 replaced || not_ok "restart $restart: no other worker"
  wait_for 60 read_since "$reads" || not_ok "restart $restart: nothing is read after it"
done
rm /tmp/reading
wait $reader
same "$RESTARTS restarts under a client that reads all the time: no error, no wrong byte" '' "$(head -n 5 /tmp/failures)"
note "$(grep -c '' /tmp/reads) reads of a megabyte"
step "$RESTARTS restarts"

# 7. The end: nothing is left behind.
umount /nfs/3 /nfs/4.1 /nfs/4.2 || not_ok 'umount of NFS'
stop_knfsd
fuse4fs umount --wait $mnt && fuse4fs umount --wait $many
same 'all is unmounted' 0 $?
sed 's/^/# log: /' /tmp/log | tail -n 40
