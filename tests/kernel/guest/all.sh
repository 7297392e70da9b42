#!/bin/sh
# Runs scenarios, each in a shell of its own:   all.sh NAME…
# Their lines: "ok - WHAT", "not ok - WHAT", "# anything". The last line of all is "N passed, N failed".
cd /tmp || exit
seconds() { cut -d . -f 1 /proc/uptime; }

echo "# $(uname -srm), $(nproc) processors, up $(cut -d ' ' -f 1 /proc/uptime) s"
for scenario in "$@"; do
  start=$(seconds)
  echo "# --- $scenario"
  out=/tmp/$scenario.out
  : > "$out"
  tail -f "$out" & # to be watched
  shown=$!
  "/test/$scenario.sh" > "$out" 2>&1 &
  pid=$!
  # The deadline is for what hangs.
  late=$(($(seconds) + ${DEADLINE:-420}))
  while kill -0 $pid 2> /dev/null; do
    if [ "$(seconds)" -ge $late ]; then
      echo "not ok - $scenario: takes too long" >> "$out"
      dmesg | tail -n 50
      kill -9 $pid
      break
    fi
    sleep 0.2
  done
  wait $pid
  rc=$?
  [ $rc = 0 ] || echo "not ok - $scenario: ended with $rc" >> "$out"
  sleep 1.2
  kill $shown
  wait $shown 2> /dev/null
  echo "# $scenario took $(($(seconds) - start)) s"
done
# A kernel that complains has failed, whatever the scenarios say.
if dmesg | grep -E 'WARNING|BUG|Oops|INFO: |possible recursive|general protection|Leaked' > /tmp/complaints; then
  echo "not ok - the kernel has no complaints: $(head -n 1 /tmp/complaints)" | tee /tmp/complaints.out
  dmesg | tail -n 200
else
  echo "ok - the kernel has no complaints" | tee /tmp/complaints.out
fi
echo "$(cat /tmp/*.out | grep -c '^ok - ') passed, $(cat /tmp/*.out | grep -c '^not ok - ') failed"
