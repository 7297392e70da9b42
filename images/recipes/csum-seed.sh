# The checksum seed in the superblock, no longer equal to the UUID's.
new_image 16M -t ext4 -O metadata_csum_seed,orphan_file
basic_tree
populate
tune2fs -U 11111111-2222-3333-4444-555555555555 "$image" > /dev/null
check
