# Two updates in quick succession: the second is what is tried and promoted, nothing of the first remains.
apply op v1 "${quick[@]}"; adopted op
set_image op v3; sleep 1; set_image op v2
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 30
until_true 10 "the canary is gone" no_canary op # the state is written before its effect
[ -z "$(k get rs -o json | jq -r '.items[] | select(.metadata.name | test("canary")) | select(.spec.replicas > 0) | .metadata.name')" ] || fail "a canary ReplicaSet still has replicas"
promoted=$(state op '[.history[] | select(.result == "promoted") | .image] | join(" ")')
[ "$promoted" = "${OPERATOR_IMAGE:-localhost/operator}:v2" ] || fail "promoted was $promoted"
