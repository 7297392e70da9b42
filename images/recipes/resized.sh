# Grown from one group to many, and shrunk again.
new_image 8M -t ext4 -b 1024
basic_tree
populate
for size in 96M 40M; do
  resize2fs -f "$image" $size > "$work/output" 2>&1 || { cat "$work/output" >&2; fail "$name: resize2fs failed"; }
done
check
