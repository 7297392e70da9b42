# fish completion for fuse4fs: the program itself suggests verbs and switches; images and mount points are files, fish's default.
function __fuse4fs_suggest
  set -l line (commandline -cp)
  set -l word (commandline -ct)
  if string match -q -- '-*' $word; or test (count (commandline -opc)) -eq 1
    fuse4fs "[suggest:"(string length -- $line)"]" $line 2> /dev/null
  end
end
complete -c fuse4fs -a '(__fuse4fs_suggest)'
