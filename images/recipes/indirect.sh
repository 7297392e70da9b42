# Block maps at the edges of direct, indirect, double and triple indirect blocks (12, 268 and 65,804 blocks of 1 KiB).
new_image 16M -t ext3 -b 1024
for count in 12 13 268 269; do text $((count * 1024)) map-$count | put /map-$count; done
for first in 12 13 267 268 269 65803 65804 66060 67000; do
  file=$(source_file); truncate -s $((first * 1024)) "$file"; text 1500 far >> "$file"; put_file "$file" /far-$first
done
finish
