# Content in inodes: files to 60 bytes and beyond, a small directory, a link.
new_image 8M -t ext4 -O inline_data
for length in 1 59 60 61 100 150; do printf "%0${length}d" 0 | put /of-$length; done
directory /small
printf x | put /small/a
symlink /link "$(printf '%0100d' 0)"
finish
