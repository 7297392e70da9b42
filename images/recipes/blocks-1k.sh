# Blocks of 1 KiB.
new_image 16M -t ext4 -b 1024
basic_tree
finish
