# expect EUCLEAN /bitmap
# expect EUCLEAN /table
# expect EUCLEAN /journal
# expect EUCLEAN /attribute
# Files whose content or attributes are where the filesystem keeps what is its own.
new_image 8M -t ext4
for file in bitmap table journal attribute sound; do echo $file | put /$file; done
populate
group=$(ask stats | sed -n 's/.*Group *0: block bitmap at \([0-9]*\), inode bitmap at [0-9]*, inode table at \([0-9]*\).*/\1 \2/p')
set_field /bitmap 'block[5]' "${group% *}"
set_field /table 'block[5]' $((${group#* } + 1))
set_field /journal 'block[5]' $(($(ask 'bmap <8> 0') + 9))
set_field /attribute file_acl "${group% *}"
populate
