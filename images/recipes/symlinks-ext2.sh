# Long and short targets under a block map.
new_image 4M -t ext2 -b 1024
for length in 1 59 60 61 1023; do symlink /to-$length "$(printf "%0${length}d" 0)"; done
finish
