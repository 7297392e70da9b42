# A directory entry of length 0: who adds it up does not get on.
# expect EUCLEAN /names
new_image 4M -t ext4 -b 1024 -O ^metadata_csum
echo sound | put /sound
directory /names
echo inside | put /names/inside
populate
le16 0 | overwrite $(($(block_of /names 0) * 1024 + 28))
