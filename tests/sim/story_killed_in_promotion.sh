# SIGKILL in the middle of a promotion, and then another, bad image, which the unpaused Deployment rolls out everywhere before Handover
# is there again: it is paused, a version that was judged serves again, and the bad one gets its canary and is rolled back.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*:bad","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40,"readyMs":1200}'
handover a; target op:v1; adopted
set_image op:v2; wait_phase Promoting 40; kill -9 "$pid_a"
set_image op:bad; until_true 30 "the bad image runs everywhere" runs op:bad
phase_is Promoting || fail "not killed in the middle"
handover b; until_true 20 "b leads" leads b
until_true 20 "it is paused" paused
until_true 40 "a judged version serves again" eval 'runs op:v1 || runs op:v2'
wait_phase RolledBack 60; ended failed || fail "the history says $(state '.history[0].result')"
until_true 10 "the canary is gone" no_canary
runs op:v1 || runs op:v2 || fail "the bad version runs"
events | has '^Superseded .*op:bad' || fail "no Event says what happened"
! events | has '^UnmanagedRollout' || fail "another client is blamed"
