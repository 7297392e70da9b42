# Nothing but lost+found.
new_image 1M -t ext4 -b 1024
finish
