# The user takes the update back in the middle: the rollout ends, stable never noticed.
# tags: oldest
apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
set_image op v2; until_true 20 "a canary pod" some_canary op
set_image op v1
wait_phase op Stable 40; canary_gone op
same_pods op "$before"
until_true 150 "the kubelet has forgotten the canary" canary_forgotten op
