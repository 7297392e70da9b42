# A name that leads to an inode that is not in use.
# expect EUCLEAN /free
new_image 4M -t ext4 -O ^metadata_csum
for entry in sound free; do echo text | put /$entry; done
populate
set_field /free links_count 0
set_field /free mode 0
populate
