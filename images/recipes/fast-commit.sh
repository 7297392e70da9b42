# A journal with room for fast commits, and a file for orphans. Nothing is in either.
new_image 24M -t ext4 -b 1024 -N 256 -O fast_commit,orphan_file -J size=4
basic_tree
finish
