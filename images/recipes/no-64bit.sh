# ext4 with 32-bit block numbers: group descriptors of 32 bytes.
new_image 16M -t ext4 -O ^64bit
basic_tree
finish
