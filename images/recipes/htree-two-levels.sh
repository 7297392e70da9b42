# A directory index of two levels: names so long that three fill a block. One inode, so that the names are all there is.
new_image 8M -t ext4 -b 1024 -N 64
directory /big
echo x | put /big/target
for _ in $(seq 420); do debug 'expand_dir /big'; done
debug 'cd /big'
for number in $(seq 1200); do debug "ln target $(printf '%0250d' "$number")"; done
populate
repair -D
check
