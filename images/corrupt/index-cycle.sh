# A directory index whose entries all lead back to the index: the names are all there without it.
new_image 4M -t ext4 -b 1024 -N 512 -O ^metadata_csum
echo sound | put /sound
big_directory 200
populate
repair -D
root=$(block_of /big 0)
le32 0 | overwrite $((root * 1024 + 36))
le32 0 | overwrite $((root * 1024 + 44))
