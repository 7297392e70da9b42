# A directory with its own ancestor as a child.
# expect any /upper/lower/upper
new_image 4M -t ext4 -b 1024 -O ^metadata_csum
echo sound | put /sound
directory /upper /upper/lower
populate
debug 'cd /upper/lower'
debug 'link <13> upper'
populate
