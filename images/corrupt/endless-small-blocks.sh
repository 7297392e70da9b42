# The largest directory that is searched without an index, in the smallest blocks: a million of them, all the same one. Slow, but not for long.
new_image 8G -t ext4 -b 1024 -N 1024 -O ^metadata_csum,uninit_bg,^has_journal,^resize_inode -E lazy_itable_init=1
echo sound | put /sound
directory /large
populate
last=$((8388608 - 10))
{ le32 0; le16 1024; le16 0; head -c 1016 /dev/zero; } | overwrite $((last * 1024))
for level in 1 2 3; do pointers $((last + level - 1)) | head -c 1024 | overwrite $(((last + level) * 1024)); done
first=$(block_of /large 0)
set_field /large flags 0
set_field /large "block[0]" "$first"
for index in 1 2 3 4 5 6 7 8 9 10 11; do set_field /large "block[$index]" $last; done
set_field /large "block[IND]" $((last + 1))
set_field /large "block[DIND]" $((last + 2))
set_field /large "block[TIND]" $((last + 3))
set_field /large size 1073741824
populate
