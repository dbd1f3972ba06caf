# SIGTERM of the leader in the middle: a clean drain, exit code 0, and the successor within a moment.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
handover a; until_true 10 "a leads" leads a; handover b; target op:v1; adopted; until_true 10 "b is ready" log_says b "caches are warm"
set_image op:v2; wait_phase Soaking 15
kill -TERM "$pid_a"; rc=0; wait "$pid_a" || rc=$?
[ $rc = 0 ] || fail "exit code $rc"
until_true 2 "b leads" leads b
promoted op:v2
