# ext4 as mke2fs makes it: extents, 64bit, flex_bg, metadata checksums. Generations as a used filesystem has them.
new_image 16M -t ext4 -b 4096
basic_tree
populate
set_field /hello.txt generation 1234567890
set_field /docs/guide.txt generation 2
set_field /link generation 2147483648
set_field /docs generation 4294967295
populate
repair # the generation is part of every checksum below the inode
check
