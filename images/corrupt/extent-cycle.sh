# An extent block that is its own child.
# expect EUCLEAN /fragmented
new_image 4M -t ext4 -b 1024 -O ^metadata_csum
echo sound | put /sound
blocks 20 1024 | put /fragmented
populate
node=$(ask 'extents /fragmented' | awk '$1 == "0/" && $2 == "1" { print $8; exit }')
[ -n "$node" ] || fail "$name: no extent block"
{ le16 62218; le16 1; le16 84; le16 1; le32 0; le32 0; le32 "$node"; le32 0; } | overwrite $((node * 1024))
printf '\2' | overwrite $(($(inode_at /fragmented 1024) + 46))
