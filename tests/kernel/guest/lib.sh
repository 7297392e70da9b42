# shellcheck shell=dash
# What scenarios share. Sourced.
ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; }
note() { echo "# $*"; }

# same WHAT EXPECTED GOT: EXPECTED may be a pattern of case.
same() {
  # shellcheck disable=SC2254 # a pattern
  case $3 in
    $2) ok "$1" ;;
    *) not_ok "$1: $3, not $2" ;;
  esac
}

# A client that keeps what it opened: begin_client, ask COMMAND…, end_client.
begin_client() {
  rm -f /tmp/ask /tmp/answer
  mkfifo /tmp/ask /tmp/answer
  client < /tmp/ask > /tmp/answer &
  client=$!
  exec 8> /tmp/ask 9< /tmp/answer
}
ask() {
  echo "$*" >&8
  answer=
  read -r answer <&9 || answer='(the client ended)'
  echo "$answer"
}
# What was started since it began holds the other ends, too.
end_client() { exec 8>&- 9<&-; kill "$client"; wait "$client" 2> /dev/null; }

# This shell prefers busybox's own.
mke2fs() { /bin/mke2fs "$@"; }
