# A verb is missing in the ClusterRole: one clear message that names it, the target is left alone; granted, it goes on.
# tags: oldest
role() { in_cluster kubectl get clusterrole handover -o json | jq "$1" | in_cluster kubectl apply -f - >/dev/null 2>&1; }
role '(.rules[] | select(.resources == ["deployments"]) | .verbs) = ["get","list","watch"]'
trap 'role "(.rules[] | select(.resources == [\"deployments\"]) | .verbs) = [\"get\",\"list\",\"watch\",\"patch\"]"' EXIT
apply op v1 "${quick[@]}"
said() { in_cluster kubectl -n handover-system logs "$(leader | sed 's/_.*//')" --tail=200 | grep "$NS" | has 'patch deployments.*403'; }
until_true 60 "the message" said
until_true 10 "an Event on the target" event_seen 'ReconcileFailed.*patch'
for_a_while 3 "the target is left alone" not_paused op
role '(.rules[] | select(.resources == ["deployments"]) | .verbs) = ["get","list","watch","patch"]'
target=op; wait_phase op Stable 150; paused op || fail "not adopted when the verb was there"
