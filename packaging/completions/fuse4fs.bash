# bash completion for fuse4fs: the program itself suggests verbs and switches; images and mount points are files.
_fuse4fs() {
  local word=${COMP_WORDS[COMP_CWORD]}
  if [[ $word == -* || $COMP_CWORD -eq 1 ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2> /dev/null)" -- "$word")
  fi
  [[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default
}
complete -F _fuse4fs fuse4fs
