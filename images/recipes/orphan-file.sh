# An orphan file, with nothing in it, and a journal that takes fast commits.
new_image 16M -t ext4 -O orphan_file,fast_commit
basic_tree
finish
