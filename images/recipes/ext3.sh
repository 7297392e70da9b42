# ext3 as mke2fs makes it: block maps and a journal.
new_image 16M -t ext3
basic_tree
finish
