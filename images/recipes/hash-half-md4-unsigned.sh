# A directory indexed by the unsigned half_md4 hash; names have bytes above 127, where the two kinds differ.
new_image 16M -t ext4 -b 1024 -N 3000
tune2fs -E hash_alg=half_md4 "$image" > /dev/null
debug 'set_super_value flags 2'
big_directory 2000
populate
repair -D
check
