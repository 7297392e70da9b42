# The same without room for more than 32 bits and whole seconds.
new_image 4M -t ext2 -I 128
for seconds in -2147483648 -1 0 1 2147483647; do
  echo x | put "/$seconds"
  for field in atime ctime mtime; do set_field "/$seconds" $field "$(printf '0x%x' $((seconds & 0xffffffff)))"; done
done
finish
