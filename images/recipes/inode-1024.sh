# Inodes of 1024 bytes: much room for attributes inside.
new_image 16M -t ext4 -I 1024
basic_tree
printf 'a longer value that fits where there is room: %0200d' 7 | attribute /docs/size-0 user.longer
finish
