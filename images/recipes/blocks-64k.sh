# Blocks larger than a page, which the kernel may refuse to mount: the twin blocks-4k is the comparison.
new_image 64M -t ext4 -b 65536
basic_tree
finish
