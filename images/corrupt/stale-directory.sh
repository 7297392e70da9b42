# A directory in which one letter of a name was changed, and the checksum was not.
# expect EBADMSG /names
new_image 4M -t ext4 -b 1024
echo sound | put /sound
directory /names
echo inside | put /names/inside
populate
printf X | overwrite $(($(block_of /names 0) * 1024 + 32))
