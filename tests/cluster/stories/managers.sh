# Three tools own the target's fields by server-side apply, each its own: the rollout goes on, nobody's fields change hands, `paused` is ours.
part() { # MANAGER MANIFEST
  k apply --server-side --field-manager="$1" -f - >/dev/null <<<"$2"
}
head="apiVersion: apps/v1
kind: Deployment
metadata: {name: op"
manifest op v1 "${quick[@]}" | k apply --server-side --field-manager=platform -f - >/dev/null; adopted op
part labels "$head, labels: {team: blue}}"
part scale "$head}
spec: {replicas: 2}"
set_image op v2; until_true 20 "a canary pod" some_canary op
part labels "$head, labels: {team: green}}"
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 30
owners=$(k get deployment op --show-managed-fields -o json | jq -c '[.metadata.managedFields[] | select(.subresource == null) | {(.manager): [.fieldsV1 | paths | map(tostring) | join(".")]}] | add')
owns() { jq -e --arg m "$1" --arg p "$2" '.[$m] // [] | any(. == $p)' <<<"$owners" >/dev/null; }
owns handover f:spec.f:paused || fail "paused is not ours: $owners"
owns scale f:spec.f:replicas || fail "replicas changed hands: $owners"
owns labels f:metadata.f:labels.f:team || fail "the label changed hands: $owners"
! owns handover f:spec.f:replicas || fail "replicas are ours, too: $owners"
! owns platform f:spec.f:paused || fail "paused is the platform's: $owners"
