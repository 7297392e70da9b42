# Blocks allocated in clusters of four.
new_image 16M -t ext4 -O bigalloc -C 16384
basic_tree
finish
