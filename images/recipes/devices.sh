# Device nodes in the old encoding (both numbers below 256) and the new one, a pipe and a socket.
new_image 4M -t ext4
for numbers in '1 3' '0 0' '255 255' '255 256' '256 0' '4095 1048575' '8 65537'; do
  major=${numbers% *} minor=${numbers#* }
  for kind in c b; do
    debug "mknod \"$kind-$numbers\" $kind 0 0"
    if [ "$major" -lt 256 ] && [ "$minor" -lt 256 ]; then
      set_field "/$kind-$numbers" 'block[0]' $((major << 8 | minor))
    else
      set_field "/$kind-$numbers" 'block[1]' $((major << 8 | minor & 255 | (minor & 0xfff00) << 12))
    fi
  done
done
debug 'mknod pipe p'
debug 'mknod socket p' # debugfs makes no sockets: a pipe, renamed in the inode here and in the directory by e2fsck
set_field /socket mode 0140644
populate
repair
check
