# ext2 as mke2fs makes it: block maps, no journal, no checksums.
new_image 16M -t ext2
basic_tree
finish
