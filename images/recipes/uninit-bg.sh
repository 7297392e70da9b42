# Group checksums of 16 bits, inode tables that nobody has initialized.
extended=lazy_itable_init=1
new_image 64M -t ext4 -b 1024 -O ^metadata_csum,uninit_bg
basic_tree
finish
