# Back to a former version: kubectl's undo is refused on a paused Deployment, `handover undo` writes the former template as it was. Within the
# rollback window it is in service without a trial; otherwise it is tried; stable's own ends a trial and a rollback; what is gone is named.
# tags: oldest
# shellcheck shell=bash
[ -x "$HANDOVER_BIN" ] || skip "there is no $HANDOVER_BIN to run beside the cluster"
undo() { in_cluster "$HANDOVER_BIN" undo op -n "$NS" "$@"; }
template() { k get deployment op -o json | jq -cS .spec.template; }
to() { # VERSION JQ : an update that is promoted
  k get deployment op -o json | jq ".spec.template |= (.spec.containers[0].image |= sub(\":v.$\"; \":$1\") | $2)" | k replace -f - >/dev/null
  until_true 120 "every pod runs $1" image_is op "$1"; wait_phase op Stable 60; paused op || fail "not paused again"
}
apply op v1 "${quick[@]}" rollback-window=1; adopted op
to v2 '.'; second=$(template)
to v3 '.metadata.annotations.new = "yes" | .spec.nodeSelector = {"kubernetes.io/os": "linux"} | .spec.containers[0].env += [{name: "NEW", value: "1"}]'
! in_cluster kubectl -n "$NS" rollout undo deployment/op >/dev/null 2>&1 || fail "kubectl undoes a paused Deployment: then this is not needed"

said=$(undo); note "$said"
has -E 'spec.template is .*:v2 again \([a-z0-9]+, of ReplicaSet op-[a-z0-9]+\), Promoting: .*: within the rollback window$' <<<"$said" || fail "undo said $said"
until_true 90 "every pod runs v2" image_is op v2; wait_phase op Stable 60
[ "$(template)" = "$second" ] || fail "the template is not what it was: $(template), was $second"
[ "$(state op '.history[0] | .result + ": " + .reason')" = "promoted: within the rollback window" ] || fail "the history says $(state op '.history[0]')"
until_true 10 "an Event says so" event_seen WithinRollbackWindow
! some_canary op || fail "there is a canary"
before=$(pods_of op)

said=$(undo) # what was come back from: it is tried
has -E ':v3 again .*, (Starting|Soaking): ' <<<"$said" || fail "undo said $said"
until_true 30 "a canary pod" some_canary op
said=$(undo)
has -E ':v2 again .*, (Cancelling|Stable): ' <<<"$said" || fail "undo said $said"
wait_phase op Stable 40; canary_gone op; same_pods op "$before"
[ "$(template)" = "$second" ] || fail "the template is not stable's: $(template)"

set_image op bad; wait_phase op RolledBack 90; bad=$(state op .hash)
said=$(undo)
has -E ':v2 again .*, (Cancelling|Stable): ' <<<"$said" || fail "undo said $said"
wait_phase op Stable 40; same_pods op "$before"
! said=$(undo --to-hash="$bad" 2>&1) || fail "a version in quarantine was written: $said"
has -E 'was rolled back \(.*\); to try it again, set its image, then: handover retry op' <<<"$said" || fail "undo said $said"

k patch deployment op --type=merge -p '{"spec":{"revisionHistoryLimit":0}}' >/dev/null
only_one() { [ "$(k get rs -o json | jq '[.items[] | select(any(.metadata.ownerReferences[]; .controller == true))] | length')" = 1 ]; }
until_true 60 "the former ReplicaSets are deleted" only_one
! said=$(undo 2>&1) || fail "there is nothing to go back to, and it said $said"
has -E 'no ReplicaSet of it has a former template: .*\(spec.revisionHistoryLimit: 0\); set its image instead; there are: none$' <<<"$said" || fail "undo said $said"
same_pods op "$before"
