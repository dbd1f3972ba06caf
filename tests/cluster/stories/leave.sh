# The annotation is removed: what we changed is given back, the pods stay.
# tags: oldest
apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
k annotate deployment/op handover.dev/canary-percent- >/dev/null
until_true 20 "unpaused" not_paused op
[ "$(field deployment/op '{.spec.progressDeadlineSeconds}')" = 600 ] || fail "progressDeadlineSeconds was not given back"
sleep 1; same_pods op "$before"
