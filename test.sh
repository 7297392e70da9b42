#!/bin/bash
# Runs the tests.   ./test.sh [unit|images|e2e|native]... [--filter EXPRESSION]
#                   ./test.sh --kernel [SCENARIO]...
#   unit     makes small images: e2fsprogs
#   images   reads sample images: e2fsprogs
#   e2e      mounts them: root, /dev/fuse, loop devices, the kernel's ext4; and exports them: nfs-ganesha
#   native   compiles the program natively, which finds what cannot be, and runs the tests of mounting with that: gcc besides
#   --kernel boots other Linux kernels in QEMU and runs the scenarios of tests/kernel in them, and nothing else
# --filter takes what `dotnet test --filter` takes. Installs what is missing (apt, NuGet) and says so.
set -euo pipefail
cd "$(dirname -- "$0")"
. packaging/setup.sh

tiers=() filter=()
while [ $# -gt 0 ]; do
  case $1 in
    unit | images | e2e | native) tiers+=("$1") ;;
    --kernel) shift; exec tests/kernel/run.sh "$@" ;;
    --filter) [ $# -ge 2 ] || fail '--filter needs an expression'; filter=(--filter "$2"); shift ;;
    *) fail "unknown argument $1; usage: ./test.sh [unit|images|e2e|native]... [--filter EXPRESSION] | --kernel [SCENARIO]..." ;;
  esac
  shift
done
# Who looks for a few tests does not wait for a compiler that was not asked for.
narrowed=${#filter[@]}
if [ ${#tiers[@]} -eq 0 ]; then
  tiers=(unit images e2e)
  [ "$narrowed" -gt 0 ] || tiers+=(native)
fi

need_dotnet
need_packages mke2fs=e2fsprogs debugfs=e2fsprogs fusermount3=fuse3 setfattr=attr getfacl=acl setpriv=util-linux losetup=mount findmnt=util-linux
need_fuse || say 'no /dev/fuse: tests that mount will be skipped'
# An NFS server and rpcbind are no tools: systemd starts them once they are installed, now and at every boot. The tests start their own, out of sight.
if [[ " ${tiers[*]} " == *' e2e '* ]]; then
  if [ -d /run/systemd/system ] && ! { command -v ganesha.nfsd && command -v rpcbind; } > /dev/null; then
    say 'nfs-ganesha, nfs-ganesha-vfs and rpcbind are not installed, for systemd would start them: tests of NFS will be skipped'
  else
    need_packages 'ganesha.nfsd=nfs-ganesha nfs-ganesha-vfs' rpcbind=rpcbind nfs-ls=libnfs-utils ip=iproute2
  fi
fi

say 'restoring packages (locked) and building'
quietly dotnet restore Fuse4fs.sln --locked-mode
quietly dotnet build Fuse4fs.sln -c Release --no-restore

# Everything the tests mount or leave is below this folder, so whatever happens to them, it can be cleared away.
results=$(mktemp -d) work=$(mktemp -d /tmp/fuse4fs-tests.XXXXXX)
chmod 755 "$work"
clear_away() {
  awk -v below="$work/" 'index($5, below) == 1 { print $3, $5 }' /proc/self/mountinfo | while read -r device place; do
    echo "test.sh: still mounted, aborted and unmounted lazily: $place" >&2
    abort=/sys/fs/fuse/connections/${device#*:}/abort
    [ ! -e "$abort" ] || echo 1 > "$abort"
    umount --lazy "$place" || true
  done
  rm -rf --one-file-system "$results" "$work"
}
trap clear_away EXIT

# What is mounted is the program as it is installed, unless FUSE4FS names another.
if [[ " ${tiers[*]} " == *' e2e '* ]] && [ -z "${FUSE4FS:-}" ]; then
  publish "$work/fuse4fs"
  export FUSE4FS=$work/fuse4fs/fuse4fs
fi

passed=0 failed=0 skipped=0

if [ "$narrowed" -eq 0 ] && [[ " ${tiers[*]} " == *' unit '* ]]; then
  say 'checking the format of the source'
  if dotnet format Fuse4fs.sln --verify-no-changes --no-restore -v quiet; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

tier_of() {
  case $1 in
    Ext4Reader.Tests | Fuzz.Tests) echo images ;;
    EndToEnd.Tests) echo e2e ;;
    *) echo unit ;;
  esac
}

# number NAME FILE: an attribute of the counters in a result file.
number() { grep -o "<Counters [^>]*" "$2" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*'; }

run() {
  local project=$1 report=$results/$1.trx
  say "$project"
  rm -f "$report" # of another program's run
  # The hard limit is for what no deadline inside caught.
  TMPDIR=$work timeout --kill-after=30 900 dotnet test "tests/$project" -c Release --no-build --nologo -v quiet \
    --logger "trx;LogFileName=$report" --logger 'console;verbosity=minimal' ${filter[@]+"${filter[@]}"} \
    | grep -v -e '^Test run for' -e '^A total of' -e '^Results File:' -e '^No test matches' -e '^ *$' || true
  if [ ! -s "$report" ]; then
    if [ "$narrowed" -gt 0 ]; then return; fi # no test of this project matches
    echo "$project: ended without a report" >&2
    failed=$((failed + 1))
    return
  fi
  local total executed
  total=$(number total "$report") executed=$(number executed "$report")
  passed=$((passed + $(number passed "$report")))
  failed=$((failed + executed - $(number passed "$report")))
  skipped=$((skipped + total - executed))
  if [ "$total" = 0 ] && [ "$narrowed" -eq 0 ]; then
    echo "$project: has no tests" >&2
    failed=$((failed + 1))
  fi
  if [ "$total" != "$executed" ]; then
    echo "$project: skipped, by reason:"
    tr -d '\n' < "$report" | sed 's/<UnitTestResult /\n&/g' | grep 'outcome="NotExecuted"' | grep -o '<Message>[^<]*' | sed 's/<Message>//' | sort | uniq -c
  fi
}

for project in tests/*.Tests; do
  project=${project#tests/}
  tier=$(tier_of "$project")
  if [[ " ${tiers[*]} " == *" $tier "* ]]; then run "$project"; fi
done

if [[ " ${tiers[*]} " == *' native '* ]]; then
  say 'compiling the program natively'
  need_packages gcc=gcc
  [ -e /usr/include/zlib.h ] || need_packages zlib.h=zlib1g-dev
  if ! command -v gcc > /dev/null; then
    say 'SKIPPED: native needs gcc'
    skipped=$((skipped + 1))
  elif publish_native "$work/native"; then
    [ "$narrowed" -gt 0 ] || filter=(--filter 'FullyQualifiedName~EndToEnd.Tests.Mount&FullyQualifiedName!~CompilationTests')
    FUSE4FS=$work/native/fuse4fs run EndToEnd.Tests
  else
    say 'SKIPPED: native needs x86-64 and .NET 9'\''s ILCompiler from NuGet'
    skipped=$((skipped + 1))
  fi
fi

[ $((passed + failed + skipped)) -gt 0 ] || { echo 'test.sh: no test matches' >&2; failed=1; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
