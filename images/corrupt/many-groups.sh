# A superblock that tells of 33 million groups: whoever asks how much is free must not wait until all of them are counted.
new_image 64M -t ext4 -b 1024 -g 256 -N 2048 -O meta_bg,64bit,^resize_inode,^metadata_csum,^flex_bg,^has_journal
echo sound | put /sound
populate
debug 'set_super_value blocks_count 8589934337'
debug 'set_super_value inodes_count 268435448'
populate
truncate -s 8T "$image"
