# A symbolic link that claims more than lies in its inode.
# expect EUCLEAN /link
new_image 4M -t ext4 -b 1024
echo sound | put /sound
symlink /link sound
populate
set_field /link size 200
populate
