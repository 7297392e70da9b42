# Extended attributes in the inode, in a block of their own, in both; every namespace; empty, binary and largest values.
new_image 8M -t ext4 -b 4096
for entry in small both block many; do echo x | put /$entry; done
directory /directory
symlink /link small
printf 1 | attribute /small user.a
printf '' | attribute /small user.empty
printf 'binary\0\377\n' | attribute /small user.binary
printf 'system_u:object_r:x_t:s0\0' | attribute /small security.selinux
printf 'in the inode' | attribute /both user.short
text 700 both | attribute /both user.long
printf '\0\1\2' | attribute /both trusted.three
text 3900 block | attribute /block "user.$(printf '%0250d' 0 | head -c 100)"
for number in $(seq 40); do printf 'value %s' "$number" | attribute /many "user.number-$number"; done
printf 'on a directory' | attribute /directory user.kind
printf 'on a link' | attribute /link trusted.kind
finish
