# An extent block that leads to other blocks than its checksum says.
# expect EBADMSG /fragmented
new_image 4M -t ext4 -b 1024
echo sound | put /sound
blocks 20 1024 | put /fragmented
populate
node=$(ask 'extents /fragmented' | awk '$1 == "0/" && $2 == "1" { print $8; exit }')
[ -n "$node" ] || fail "$name: no extent block"
le32 100 | overwrite $((node * 1024 + 20))
