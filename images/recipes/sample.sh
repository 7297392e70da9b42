# The image of the demo: small, and with one of each thing that people look at first.
new_image 8M -t ext4 -b 4096 -N 128
directory /docs /docs/poems /pictures /bin
put /README <<'END'
This is a file inside an ext4 image.

Nothing here was unpacked: fuse4fs reads the image and shows it as a directory.
Try: ls -lR, cat docs/poems/fire, readlink latest, getfattr -d docs/poems/fire,
du -h --apparent-size big sparse ; du -h big sparse
END
printf 'Some say the world will end in fire,\nSome say in ice.\n' | put /docs/poems/fire
seq 1 100 | put /docs/numbers.txt
text 1048576 big | put /big
file=$(source_file); echo start > "$file"; truncate -s 16M "$file"; echo end >> "$file"; put_file "$file" /sparse
printf '#!/bin/sh\necho hello from the image\n' | put /bin/hello
set_field /bin/hello mode 0100755
symlink /latest docs/poems/fire
printf 'Robert Frost' | attribute /docs/poems/fire user.author
finish
