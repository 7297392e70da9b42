# Twelve inodes of one block each, without any checksum: tests change them in place, as e2fsck and other mounts would.
new_image 256K -t ext4 -b 1024 -N 32 -O ^has_journal,^metadata_csum,^uninit_bg,^64bit,^resize_inode,^dir_index
for number in 00 01 02 03 04 05 06 07 08 09 10 11; do text 100 "slot $number" | put /slot-$number; done
finish
