# An attribute block in which a value was changed, and the checksum was not.
# expect EBADMSG /file
new_image 4M -t ext4 -b 1024 -I 128
for entry in sound file; do echo text | put /$entry; done
text 300 value | attribute /file user.value
populate
block=$(ask 'stat /file' | sed -n 's/^File ACL: \([0-9]*\).*/\1/p')
printf X | overwrite $((block * 1024 + 1000))
