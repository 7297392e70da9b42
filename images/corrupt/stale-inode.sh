# An inode whose owner was changed, and whose checksum was not.
# expect EBADMSG /changed
new_image 4M -t ext4 -b 1024
for entry in sound changed; do echo text | put /$entry; done
populate
printf '\7' | overwrite $(($(inode_at /changed 1024) + 2))
