# An extent tree of depth 3: 28,600 runs of one block each.
new_image 96M -t ext4 -b 1024 -N 64 -O ^has_journal
blocks 28600 1024 | put /deep
finish
