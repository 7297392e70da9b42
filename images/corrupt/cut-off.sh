# Half of an image.
# expect refused
new_image 4M -t ext4
echo sound | put /sound
populate
truncate -s 2M "$image"
