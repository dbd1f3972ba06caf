# A value that is not allowed: nothing is changed, and an Event names the annotation, what was read and what is allowed.
apply op v1 canary-percent=lots
until_true 20 "an Event about the annotation" event_seen 'handover.dev/canary-percent.*lots'
for_a_while 3 "the Deployment is left alone" not_paused op
k annotate deployment/op --overwrite handover.dev/canary-percent=50 handover.dev/soak=8s >/dev/null
adopted op
