# ext4 as it was made before 2016: group checksums only.
new_image 16M -t ext4 -O ^metadata_csum,uninit_bg
basic_tree
finish
