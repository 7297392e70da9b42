# Group descriptors in the groups they describe.
new_image 16M -t ext4 -b 1024 -g 512 -O meta_bg,^resize_inode
basic_tree
finish
