# Holes at the start, in the middle and at the end; a file that is one hole; allocated but unwritten ranges.
new_image 16M -t ext4 -b 1024
file=$(source_file); text 5000 start > "$file"; truncate -s 200001 "$file"; put_file "$file" /hole-at-end
file=$(source_file); truncate -s 100000 "$file"; text 5000 end >> "$file"; put_file "$file" /hole-at-start
blocks 20 4096 | put /every-other
file=$(source_file); truncate -s 1234567 "$file"; put_file "$file" /all-hole
file=$(source_file); truncate -s 17592186044415 "$file" 2> /dev/null || truncate -s 1T "$file"; put_file "$file" /huge-hole
text 3000 fallocated | put /fallocated-beyond-end
debug 'fallocate /fallocated-beyond-end 3 63'
file=$(source_file); truncate -s 131072 "$file"; put_file "$file" /unwritten
debug 'fallocate /unwritten 0 127'
text 131072 punched | put /punched
debug 'punch /punched 20 69'
file=$(source_file); blocks 8 4096 > "$file"; put_file "$file" /mixed
debug 'fallocate /mixed 0 63'
finish
