# Multiple mount protection, and nobody else active.
new_image 8M -t ext4 -O mmp
basic_tree
finish
