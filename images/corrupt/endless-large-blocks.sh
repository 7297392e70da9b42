# The largest directory that is searched without an index, of free entries as short as can be: 90 million of them.
new_image 8G -t ext4 -b 65536 -N 1024 -O ^metadata_csum,uninit_bg,^has_journal,^resize_inode -E lazy_itable_init=1
echo sound | put /sound
directory /large
populate
last=$((131056 - 10))
{ le32 0; le16 12; le16 0; le32 0; } > "$work/entries"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13; do
  cat "$work/entries" "$work/entries" > "$work/more"
  mv "$work/more" "$work/entries"
done
{ head -c 65520 "$work/entries"; le32 0; le16 16; le16 0; le32 0; le32 0; } | overwrite $((last * 65536))
for level in 1 2; do
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do pointers $((last + level - 1)); done | overwrite $(((last + level) * 65536))
done
first=$(block_of /large 0)
set_field /large flags 0
set_field /large "block[0]" "$first"
for index in 1 2 3 4 5 6 7 8 9 10 11; do set_field /large "block[$index]" $last; done
set_field /large "block[IND]" $((last + 1))
set_field /large "block[DIND]" $((last + 2))
set_field /large size 1073741824
populate
