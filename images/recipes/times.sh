# Times before 1970, after 2038, at each edge of the 34 bits, with nanoseconds.
new_image 4M -t ext4
for seconds in -2147483648 -1 0 1 2147483647 2147483648 4294967295 4294967296 8589934592 15032385535; do
  for nanoseconds in 0 1 999999999; do
    echo x | put "/$seconds.$nanoseconds"
    set_times "/$seconds.$nanoseconds" "$seconds" $nanoseconds
  done
done
finish
