# Permission bits of every kind, setuid, setgid and sticky, and owners above 16 bits.
new_image 8M -t ext4 -N 256
for mode in 0000 0001 0004 0040 0044 0111 0400 0444 0600 0640 0644 0711 0755 0777 1777 2755 4755 7777; do
  echo $mode | put /file-$mode
  set_field /file-$mode mode 010$mode
  directory /directory-$mode
  echo inside | put /directory-$mode/inside
  set_field /directory-$mode mode 04$mode
done
for id in 1 1000 65533 65534 65535 65536 100000 2147483648 4294967294; do
  echo x | put /owned-$id
  owner /owned-$id $id $((4294967294 - id))
  set_field /owned-$id mode 0100640
done
finish
