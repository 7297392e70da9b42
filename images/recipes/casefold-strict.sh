# Names compared without regard to case, in an encoding that admits nothing but UTF-8.
extended=encoding=utf8-12.1,encoding_flags=strict
new_image 8M -t ext4 -O casefold
directory /folded /plain
set_field /folded flags 0x40080000
for name in README Straße plain; do echo "$name" | put "/folded/$name"; done
printf x | put "/plain/$(printf '\377')"
finish
