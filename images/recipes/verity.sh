# A file under the mark of fs-verity, whose tree is missing: it is readable all the same.
new_image 8M -t ext4 -O verity
basic_tree
set_field /docs/guide.txt flags 0x180000
populate
