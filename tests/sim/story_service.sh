# What the service manager hears, from a start that waits for the API server to the end of a drain.
. "$(dirname "$0")/lib.sh"
manager; export NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=2000000
heard() { grep -qE "$1" "$dir/manager.log"; }
line_of() { grep -nE -m1 "$1" "$dir/manager.log" | cut -d: -f1; }
sim --script '{"image":"*","reconcilesPerSecond":40}'
fault '{"match":{'"$ours"',"method":"GET","path":"/apis/apps/*"},"count":-1,"status":503}'
handover a --log-level=debug
until_true 10 "why it does not start" heard '^[0-9]+ EXTEND_TIMEOUT_USEC=30000000;STATUS=starting: .*503'
! heard READY || fail "ready without its caches"
fault '{"clear":true}'
until_true 20 "ready" heard '^[0-9]+ READY=1;STATUS=standing by; (nobody|a) leads$'
until_true 10 "leading" heard '^[0-9]+ STATUS=leading since 20[0-9-]+T[0-9:]+Z, term [0-9]+$'

# The watchdog: four times in WatchdogSec. (That a loop which hangs misses it: unit/obs/notify.)
feeds() { grep -c 'WATCHDOG=1$' "$dir/manager.log"; }
n=$(feeds); until_true 10 "the watchdog is fed" eval '[ "$(feeds)" -ge '$((n + 5))' ]'
gaps=$(grep 'WATCHDOG=1$' "$dir/manager.log" | awk 'NR > 1 && $1 - last > 1500 { n++ } { last = $1 } END { print n + 0 }')
[ "$gaps" = 0 ] || fail "$gaps times the watchdog waited for more than 1.5 of its 2 seconds"

handover b; until_true 15 "b stands by" heard 'STATUS=standing by; a leads$'

# A drain with work in flight: stopping, with time beyond all that it may still take.
slow_read 3000; orphan; until_true 10 "a reconcile is in flight" log_says a "reconcile started"
kill -TERM "$pid_a"; rc=0; wait "$pid_a" || rc=$?
[ $rc = 0 ] || fail "exit code $rc"
until_true 5 "the end" heard 'STOPPING=1;EXTEND_TIMEOUT_USEC=[0-9]+;STATUS=ended$'
heard 'STOPPING=1;EXTEND_TIMEOUT_USEC=1[45][0-9]{6};STATUS=draining \([a-z-]+\): 1 in flight, at most (9|10)s left$' || fail "no time was asked for"
heard '^[0-9]+ STATUS=draining \(finishing\): 1 in flight, at most [78]s left$' || fail "no progress of the drain"
[ "$(line_of READY=1)" -lt "$(line_of STATUS=leading)" ] && [ "$(line_of STATUS=leading)" -lt "$(line_of STOPPING=1)" ] || fail "out of order"
