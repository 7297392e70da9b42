# An attribute whose value lies in an inode of its own.
new_image 8M -t ext4 -b 4096 -O ea_inode
echo x | put /file
text 4000 value | attribute /file user.large
printf small | attribute /file user.small
finish
