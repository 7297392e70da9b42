# A superblock that makes whoever trusts it divide by zero.
# expect refused
new_image 4M -t ext4
debug 'set_super_value blocks_per_group 0'
populate
