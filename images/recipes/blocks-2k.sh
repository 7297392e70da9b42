# Blocks of 2 KiB.
new_image 16M -t ext4 -b 2048
basic_tree
finish
