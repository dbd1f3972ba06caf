# A version that fails in one controller of ten, which does 2 % of the work, is rolled back by a reason that names it; a healthy one is promoted.
. "$(dirname "$0")/lib.sh"
ten='"controllers":10,"lastShare":0.02,"reconcilesPerSecond":100'
sim --script "{\"image\":\"*:bad\",\"errorRate\":1,\"badController\":10,$ten}" --script "{\"image\":\"*:v?\",$ten}"
handover a; target op:v1; adopted
before=$(stable_pods); set_image op:bad
wait_phase RolledBack 40; until_true 10 "the canary is gone" no_canary
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"
ended failed || fail "the history says $(state '.history[0].result')"
reason=$(state '.history[0].reason')
[[ $reason == "controller sim-10: "*" reconciles failed (100 %), tolerated are 5 %; stable 0 % of "* ]] || fail "the reason is: $reason"
set_image op:v2; promoted op:v2
