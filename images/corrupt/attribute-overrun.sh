# An attribute whose value lies behind the end of its block. The file itself is sound.
# expect EUCLEAN /file
new_image 4M -t ext4 -b 1024 -I 128 -O ^metadata_csum
for entry in sound file; do echo text | put /$entry; done
text 300 value | attribute /file user.value
populate
block=$(ask 'stat /file' | sed -n 's/^File ACL: \([0-9]*\).*/\1/p')
le16 65532 | overwrite $((block * 1024 + 34))
