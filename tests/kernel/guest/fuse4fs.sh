#!/bin/sh
# fuse4fs under this kernel: its worker is killed, e2fsck deletes a file, the kernel's ext4 gives the file's inode number to
# another, and the worker comes back.   MODE: stock (no option) or what --lookup-handle takes (see fuse4fs-v2.sh).
# shellcheck source=tests/kernel/guest/lib.sh
. /test/lib.sh
mode=${MODE:-stock}
[ "$mode" = stock ] || set -- "--lookup-handle=$mode"
image=/tmp/disk.img mnt=/mnt/fuse disk=/mnt/disk
mkdir -p $mnt $disk

# phase WHAT: what the kernel asked the server for since the last call.
requests() { fuse4fs status --json $mnt | sed -n 's/.*"requests":{\([^}]*\)}.*/\1/p' | tr -d '"' | tr , '\n' | sort; }
: > /tmp/before
phase() {
  requests > /tmp/after
  note "messages, $1: $(awk -F : 'NR == FNR { old[$1] = $2; next } $2 != old[$1] { printf "%s=%d ", $1, $2 - old[$1] }' /tmp/before /tmp/after)"
  cp /tmp/after /tmp/before
}

# 1. An image with files of the kernel's making.
mke2fs -q -F -t ext4 $image 24m
mount -o loop $image $disk || not_ok 'loop mount'
mkdir $disk/docs $disk/below
head -c 300000 /bin/busybox > $disk/keep
head -c 300000 /bin/busybox > $disk/victim
echo text > $disk/docs/text
ln -s keep $disk/link
for i in $(seq 200); do echo "$i" > "$disk/docs/$i"; done
umount $disk

# 2. Mounted, and in use.
start=$(cut -d ' ' -f 1 /proc/uptime)
if fuse4fs mount "$@" --log=/tmp/log $image $mnt 2> /tmp/said; then
  ok "$mode: mounts"
else
  not_ok "$mode: mounts: $(cat /tmp/said /tmp/log)"
  exit
fi
note "mounted in $(echo "$(cut -d ' ' -f 1 /proc/uptime) $start" | awk '{ print $1 - $2 }') s"
fuse4fs status --json $mnt | grep -o '"kernel":{[^}]*}' | sed 's/^/# /'
phase mount
begin_client
ask open 1 $mnt/keep > /dev/null
keep=$(ask read 1 0 300000)
ask open 2 $mnt/victim > /dev/null
ask read 2 0 4096 > /dev/null
ask open 3 $mnt/docs dir > /dev/null
ask cd $mnt/docs > /dev/null
ask map 1 > /dev/null
ask map 2 > /dev/null
same "$mode: a file is read" 'ok 300000 *' "$keep"
touched="$(ask touch 1 5000) $(ask touch 2 5000)"
names=$(ask list 3)
cat $mnt/docs/text > /dev/null
mount -t tmpfs tmp $mnt/below
echo mounted > $mnt/below/file
find $mnt | wc -l > /tmp/found
phase 'first use'
find $mnt | wc -l > /tmp/found
ask read 1 0 300000 > /dev/null
phase 'second use'
number=$(ask stat 2 | sed 's/.*inode=\([0-9]*\).*/\1/')
old_handle=$(ask handle $mnt/victim | cut -d ' ' -f 2-)
keep_handle=$(ask handle $mnt/keep | cut -d ' ' -f 2-)
note "victim: inode $number, handle $old_handle"

# 3. The worker is killed, the file is deleted by e2fsck.
fuse4fs pause --kill $mnt > /dev/null || not_ok 'pause'
debugfs -w -R "set_inode_field <$number> mode 0170000" $image > /dev/null 2>&1
e2fsck -fy $image > /tmp/fsck 2>&1
note "e2fsck ended with $?: $(grep -c . /tmp/fsck) lines"

# 4. The kernel's ext4 takes its number again.
mount -o loop $image $disk
for try in $(seq 100); do
  other=other$try
  echo "somebody else's secret" > "$disk/$other"
  [ "$(stat -c %i "$disk/$other")" != "$number" ] || break
done
same "ext4 uses inode $number again" "$number" "$(stat -c %i "$disk/$other")"
umount $disk

# 5. The worker comes back.
requests > /tmp/before
fuse4fs resume $mnt > /tmp/said 2>&1
same "$mode: resumes" 0 $?
note "$(tr '\n' ' ' < /tmp/said)"
phase resume
same "$mode: the deleted file's descriptor is stale" ESTALE "$(ask stat 2)"
same "$mode: and its contents are" ESTALE "$(ask read 2 0 4096)"
same "$mode: its mapping's other pages are gone" SIGBUS "$(ask touch 2 200000)"
same "$mode: its name is gone" ENOENT "$(ask stat $mnt/victim)"
same "$mode: its handle is stale" ESTALE "$(ask byhandle 5 $mnt "$old_handle")"
same "$mode: the other file is what it is" "somebody else's secret" "$(cat "$mnt/$other")"
same "$mode: the kept file's descriptor goes on" "$keep" "$(ask read 1 0 300000)"
same "$mode: its mapping goes on" "${touched% ok*}" "$(ask touch 1 5000)"
same "$mode: its handle goes on" ok "$(ask byhandle 6 $mnt "$keep_handle")"
same "$mode: the directory's descriptor goes on" "$names" "$(ask list 3)"
same "$mode: the working directory goes on" "ok $mnt/docs" "$(ask cwd)"
same "$mode: the link goes on" keep "$(readlink $mnt/link)"
phase 'use after it'
cat $mnt/docs/text > /dev/null
phase 'a file that nobody held open'
# Without handles the kernel can only be told to drop every name, and mounts below it with them.
[ "$mode" = stock ] && below=ENOENT || below='ok *'
same "$mode: a mount on a directory" "$below" "$(ask stat $mnt/below/file)"
phase 'the mount below'
find $mnt | wc -l > /tmp/found
phase 'a walk after it'
find $mnt | wc -l > /tmp/found
phase 'a second walk after it'

# 6. What a lookup costs, answer and all, with and without handles: names one by one, from cold caches.
start=$(cut -d ' ' -f 1 /proc/uptime)
for _ in 1 2 3 4 5; do
  echo 2 > /proc/sys/vm/drop_caches
  (cd $mnt/docs && stat $(seq 200) > /dev/null)
done
note "1,000 lookups, one by one: $(echo "$(cut -d ' ' -f 1 /proc/uptime) $start" | awk '{ print $1 - $2 }') s"
phase 'lookups one by one'
end_client
umount $mnt/below 2> /dev/null
fuse4fs umount --wait $mnt
same "$mode: unmounts" 0 $?
sed 's/^/# log: /' /tmp/log
