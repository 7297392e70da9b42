# Two backup superblocks instead of many, and inode numbers that never change.
new_image 64M -t ext4 -b 1024 -O sparse_super2,stable_inodes,^resize_inode
basic_tree
finish
