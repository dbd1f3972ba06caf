# Mode objects with operators by others that take a label selector. On controller-runtime: 10 % of 500 objects. Without a Lease of its own the canary
# gets none; a good version is promoted; of a bad one only those 50 objects have ever seen anything, and stable has them back. Every write of a status is
# held against the label that the object had then: no object has two owners. And prometheus-operator, with its own flag for selectors.
# operator: controller-runtime prometheus-operator
# tags: long
# seconds: 1200
. ./operators.sh
total=500 share=50
OPERATOR_IMAGE=localhost/controller-runtime
work=(rate=0.1) # each object every 10 s, beside its changes
operator_controller_runtime_image v1 "${work[@]}"
operator_controller_runtime_image v2 "${work[@]}"
operator_controller_runtime_image bad "${work[@]}" error-rate=0.5
widgets $total
deploy() { # IMAGE [ANNOTATION=VALUE...]
  ENV='[{name: SELECTOR, value: "for=all,handover.dev/track notin (canary,moving)"}]' operator_controller_runtime op "$@" canary-percent=10 mode=objects \
    "objects=widgets.v1.example.com namespace=$NS selector=for=all" soak=20s min-events=10 max-error-rate=5% quiet=3s | in_cluster kubectl apply -f - >/dev/null
}
labelled() { k get widgets -l "handover.dev/track${1:+=$1}" -o name | wc -l; } # [TRACK] : so many
are() { [ "$(labelled "$1")" = "$2" ]; }
written_by() { [ "$(field widgets '{range .items[*]}{.status.image}{"\n"}{end}' | sort -u)" = "$1" ]; } # TAG : every widget
deploy v1; adopted op
until_true 120 "v1 reconciles every widget" written_by v1
# Every version of every object from here on, as the server sends it
seen=$(mktemp); k get widgets -w --output-watch-events -o json >"$seen" 2>/dev/null & watch=$!
trap 'kill $watch 2>/dev/null || true' EXIT
before=$(pods_of op)

set_image op v2
until_true 60 "the missing right is named" says op '^Starting \(InvalidConfig\): .*aggregate-to-handover: "true" lacks the rule .*resources: .widgets.?, verbs: .list, watch, patch'
[ -z "$(canaries op)" ] || fail "a canary without objects"
in_cluster kubectl apply -f - >/dev/null <<EOF
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "$NS-widgets", labels: {handover.dev/aggregate-to-handover: "true"}}
rules: [{apiGroups: [example.com], resources: [widgets], verbs: [list, watch, patch]}]
EOF
until_true 90 "a canary pod" some_canary op
until_true 90 "the canary is held for its Lease" says op 'waits for Lease widget, which stable holds'
are '' 0 || fail "$(labelled) objects are labelled for a canary that does nothing"
note "the right and the Lease that are missing are named: $(status op)"

k annotate deployment/op handover.dev/canary-args=--leader-election-id=op-canary >/dev/null; user_command op retry
until_true 120 "the canary has its objects" are canary $share
wait_phase op Soaking 60
says op "got $share of $total objects" || fail "the status: $(status op)"
same_pods op "$before"
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 90; [ "$(state op '.history[0].result')" = promoted ] || fail "not promoted: $(state op '.history[0]')"
are '' 0 || fail "$(labelled) objects are labelled after the promotion"
until_true 120 "v2 reconciles every widget" written_by v2
note "a good one is promoted with $share of $total objects"

before=$(pods_of op)
set_image op bad
until_true 120 "the canary has its objects" are canary $share
k get widgets -l handover.dev/track=canary -o name | sort >"$seen.slice"
wait_phase op RolledBack 180
says op 'reconciles failed' || fail "rolled back for another reason: $(status op)"
are '' 0 || fail "$(labelled) objects are labelled after the rollback"
same_pods op "$before"
until_true 120 "v2 has all of them back" written_by v2
note "a bad one is rolled back: $(status op)"
sleep 2 # the watch's last lines; nothing depends on it but what is found
kill $watch 2>/dev/null || true

# Who wrote what while whose label was there: by the pod's name in the status
jq -c '[.object.metadata.name, (.object.metadata.labels["handover.dev/track"] // "stable"), .object.status.by, .object.status.image, .object.status.reconciles]' "$seen" >"$seen.lines" || true
jq -rs 'reduce .[] as [$name, $owner, $by, $image, $n] ({last: {}, bad: [], saw: {}, writes: 0, moves: 0};
  .last[$name] as $was | ($by // "" | startswith("op-canary-")) as $canary |
  (if $was != null and $was[0] != $owner then .moves += 1 |
     if ($was[0] == "stable" and $owner == "canary") or ($was[0] == "canary" and $owner == "moving") then .bad += ["\($name): \($was[0]) to \($owner)"] else . end else . end) |
  (if $was != null and $was[1] != [$by, $n] then .writes += 1 |
     if ($owner == "canary" and ($canary | not)) or ($owner != "canary" and $canary) then .bad += ["\($name): \($by) wrote while it was \($owner)"] else . end else . end) |
  (if $image == "bad" then .saw[$name] = true else . end) | .last[$name] = [$owner, [$by, $n]])
  | "\(.writes) \(.moves) \(.bad | length) \(.saw | keys | map("widget.example.com/" + .) | sort | join(",")) \(.bad[:5])"' "$seen.lines" >"$seen.audit"
read -r writes moves wrong saw rest <"$seen.audit"
[ "$moves" -ge $((6 * share)) ] && [ "$writes" -gt $total ] || fail "the watch has too little: $writes writes, $moves changes of owners"
[ "$wrong" = 0 ] || fail "$wrong times an object had two owners: $rest"
[ "$saw" = "$(paste -sd, "$seen.slice")" ] || fail "the bad version wrote to $saw"
note "$writes writes, $moves changes of owners, none by a version that was not the object's; the bad one wrote to its $share alone"
k delete deployment op --wait=false >/dev/null; k delete widgets --all --wait=false >/dev/null

# prometheus-operator: its own flag, ten objects that start nothing
OPERATOR_IMAGE=localhost/prometheus-operator
operator_prometheus_image v1
operator_prometheus_image v2
in_cluster kubectl apply -f - >/dev/null <<EOF
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "$NS-prometheuses", labels: {handover.dev/aggregate-to-handover: "true"}}
rules: [{apiGroups: [monitoring.coreos.com], resources: [prometheuses], verbs: [list, watch, patch]}]
EOF
prometheus() { ARGS=", \"--prometheus-instance-selector=handover.dev/track notin (canary,moving)\"${ARGS:-}" operator_prometheus prom "$1" canary-percent=20 mode=objects \
  "objects=prometheuses.v1.monitoring.coreos.com namespace=$NS" soak=15s min-events=10 max-error-rate=5% quiet=3s | in_cluster kubectl apply -f - >/dev/null; }
for i in $(seq 10); do printf 'apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: p%s}\nspec: {replicas: 0}\n---\n' "$i"; done | k apply -f - >/dev/null
prometheus v1; adopted prom
made() { [ "$(k get statefulsets -o name | wc -l)" = 10 ]; }
until_true 60 "the StatefulSets of ten Prometheuses" made
uids() { field statefulsets '{range .items[*]}{.metadata.uid}{"\n"}{end}' | sort; }
were=$(uids)
( n=0; while n=$((n + 1)); do k annotate --overwrite prometheus --all "change=$n" >/dev/null || true; done ) 2>/dev/null & changes=$!
trap 'kill $changes 2>/dev/null || true' EXIT
mine() { [ "$(k get prometheus -l "handover.dev/track=canary" -o name | wc -l)" = 2 ]; }
none() { [ -z "$(k get prometheus -l handover.dev/track -o name)" ]; }
set_image prom v2
until_true 120 "the canary has two Prometheuses" mine
until_true 180 "every pod runs v2" image_is prom v2
wait_phase prom Stable 90; none || fail "objects are labelled after the promotion"
ARGS=', "--annotations=no/such/key=1"' prometheus v2
until_true 120 "the canary has two Prometheuses" mine
wait_phase prom RolledBack 180; none || fail "objects are labelled after the rollback"
says prom 'reconciles failed' || fail "rolled back for another reason: $(status prom)"
[ "$(uids)" = "$were" ] || fail "StatefulSets were made anew"
in_cluster kubectl delete clusterrole "$NS-widgets" "$NS-prometheuses" >/dev/null
note "prometheus-operator: a good one promoted, a bad one rolled back: $(status prom)"
