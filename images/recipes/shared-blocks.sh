# Two files that share a block, as read-only images of Android do.
new_image 4M -t ext2 -b 4096 -I 256
text 4000 shared | put /one
text 4000 other | put /two
populate
debug "set_inode_field /two block[0] $(block_of /one 0)"
debug 'feature shared_blocks'
populate
