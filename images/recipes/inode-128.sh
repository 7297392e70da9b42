# Inodes of 128 bytes: no nanoseconds, no birth time, no attributes inside.
new_image 16M -t ext4 -I 128
basic_tree
printf 'a longer value that fits where there is room: %0200d' 7 | attribute /docs/size-0 user.longer
finish
