# One file under many names, also in another directory.
new_image 4M -t ext4
directory /sub
text 777 linked | put /one
hard_link /one /two /sub/three $(seq -f /sub/link-%g 40)
finish
