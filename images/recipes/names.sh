# Names that are hard on programs: longest, not UTF-8, control characters, a newline.
# Without metadata_csum, because the newline is written into the finished image: debugfs reads one command a line.
new_image 4M -t ext4 -b 1024 -O ^metadata_csum
directory /names "/names/ a directory "
for entry in "$(printf '%0255d' 1)" "$(printf '\303\251%.0s' $(seq 127))" "$(printf '\377%.0s' $(seq 255))" 'new@line' ' ' '  lead' 'trail ' '...' \
  '.hidden' "$(printf 'tab\there')" "$(printf '\001\177')" 'back\slash' "q'\$*?" '-rf' "$(printf '\303\050')" "$(printf '\200')" \
  CASE case "$(printf 'e\314\201')" ':' '%41' a; do
  echo "$entry" | put "/names/$entry"
done
populate
sed -i 's/new@line/new\nline/' "$image"
check
