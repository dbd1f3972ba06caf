# A version that fails in one controller of ten, which does 2 % of the work, is rolled back by a reason that names it; a healthy one is promoted.
apply op ten1 "${quick[@]}"; adopted op
before=$(pods_of op)
set_image op ten-bad
until_true 20 "a canary pod" some_canary op
wait_phase op RolledBack 60
canary_gone op
same_pods op "$before"
reason=$(state op '.history[0].reason')
[[ $reason == "controller widget-10: "*" reconciles failed (100 %), tolerated are 5 %; stable 0 % of "* ]] || fail "the reason is: $reason"
until_true 10 "the Event says which controller" event_seen '^RolledBack .*controller widget-10: ' # sent after the state was written
set_image op ten2
until_true 90 "every pod runs ten2" image_is op ten2
wait_phase op Stable 30
[ "$(state op '.history[0].result')" = promoted ] || fail "the history does not say promoted"
