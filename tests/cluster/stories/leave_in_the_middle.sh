# The annotation is removed in the middle of a rollout: the canary goes, but unpausing would ship an unjudged version, so that is
# refused with the reason until the spec is stable's again.
apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
set_image op v2; until_true 20 "a canary pod" some_canary op
k annotate deployment/op handover.dev/canary-percent- >/dev/null
canary_gone op 60
for_a_while 4 "still paused" paused op
same_pods op "$before"
until_true 10 "an Event says why it is still paused" event_seen 'Leav|leav'
set_image op v1
until_true 20 "unpaused" not_paused op
same_pods op "$before"
