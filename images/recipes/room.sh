# Nothing but lost+found and a journal, in one group: room for what tests have the kernel write, with inode numbers that can be foretold.
new_image 32M -t ext4 -b 4096 -J size=4 -N 2048
finish
