# SIGKILL of the leader in the middle: the other one takes over when the lease expires, and finishes from the written state.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":4}'
handover a; until_true 10 "a leads" leads a; handover b; target op:v1 canary-percent=50 soak=20s max-error-rate=5%; adopted
before=$(stable_pods); set_image op:v2; wait_phase Soaking 15
begun=$(state .startedAt) canary=$(pods %3D)
kill -9 "$pid_a"
until_true 15 "b leads" leads b
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"
[ "$(pods %3D)" = "$canary" ] || fail "the canary was made anew"
[ "$(state .startedAt)" = "$begun" ] || fail "the rollout began anew"
promoted op:v2
