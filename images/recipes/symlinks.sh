# Targets inside the inode (to 59 bytes) and in a block of their own (from 60), to the longest that fits a 1 KiB block.
new_image 4M -t ext4 -b 1024
for length in 1 58 59 60 61 255 1000 1022 1023; do symlink /to-$length "$(printf "%0${length}d" 0)"; done
symlink /raw "$(printf '\377\376 raw')"
symlink /loop loop
symlink /absolute /etc/hostname
finish
