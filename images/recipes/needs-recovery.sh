# The mark of a journal that must be replayed.
new_image 16M -t ext4
basic_tree
populate
check
debug 'feature needs_recovery'
populate
