# A directory of a billion blocks that are all the same empty one: whoever looks for a name in it must give up in time.
# expect EUCLEAN /endless
new_image 8T -t ext4 -b 4096 -N 32768 -O ^metadata_csum,uninit_bg,^has_journal,^resize_inode,large_dir,^flex_bg -E lazy_itable_init=1
echo sound | put /sound
directory /endless
populate
last=$((2147483648 - 10))
{ le32 0; le16 4096; le16 0; head -c 4088 /dev/zero; } | overwrite $((last * 4096))
for level in 1 2 3; do pointers $((last + level - 1)) | overwrite $(((last + level) * 4096)); done
first=$(block_of /endless 0)
set_field /endless flags 0
set_field /endless "block[0]" "$first"
for index in 1 2 3 4 5 6 7 8 9 10 11; do set_field /endless "block[$index]" $last; done
set_field /endless "block[IND]" $((last + 1))
set_field /endless "block[DIND]" $((last + 2))
set_field /endless "block[TIND]" $((last + 3))
set_field /endless size $((1000000000 * 4096))
populate
