# A good version is promoted, a bad one rolled back while stable's pods never change, and the next one is tried.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*:bad","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}'
handover a; target op:v1; adopted
set_image op:v2; until_true 10 "a canary" some_canary; promoted op:v2
before=$(stable_pods); set_image op:bad
wait_phase RolledBack 40; until_true 10 "the canary is gone" no_canary
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"
paused || fail "not paused"; ended failed || fail "the history says $(state '.history[0].result')"
for_a_while 2 "the quarantine holds" no_canary
set_image op:v3; promoted op:v3
