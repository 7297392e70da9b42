# A directory of many blocks without an index: dir_index on, but nothing ever built one.
new_image 16M -t ext4 -b 1024 -N 3000
big_directory 500
finish
