# Directories in which case does not matter; not for kernels without CONFIG_UNICODE.
extended=encoding=utf8-12.1
new_image 8M -t ext4 -O casefold
basic_tree
directory /any-case
set_field /any-case flags 0x40080000
for entry in Straße 'ΜΆΪΟΣ' "$(printf 'e\314\201')" plain; do echo "$entry" | put "/any-case/$entry"; done
finish
