# Blocks of 4 KiB.
new_image 16M -t ext4 -b 4096
basic_tree
finish
