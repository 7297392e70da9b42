# A feature that is not read yet: the mount must be refused, and the feature named.
new_image 16M -t ext4 -O bigalloc -C 16384
basic_tree
finish
