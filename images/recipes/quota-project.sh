# Quota and project accounting: hidden inodes that no directory names, a project on each inode.
new_image 16M -t ext4 -O quota,project -I 256
basic_tree
set_field /docs/guide.txt projid 77
populate
repair
check
