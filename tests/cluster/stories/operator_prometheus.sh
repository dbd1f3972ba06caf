# prometheus-operator, which elects nobody and counts under names of its own (annotations `errors`, `total`): a good version is promoted;
# one that can write nothing, for a flag that is wrong, is rolled back by its own error counter.
# operator: prometheus-operator
# tags: long
. ./operators.sh
OPERATOR_IMAGE=localhost/prometheus-operator
operator_prometheus_image v1
operator_prometheus_image v2
deploy() { operator_prometheus op "$@" "${quick[@]}" | in_cluster kubectl apply -f - >/dev/null; }
deploy v1; adopted op; before=$(pods_of op)
printf 'apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: p}\nspec: {replicas: 0}\n' | k apply -f - >/dev/null
made() { k get statefulset prometheus-p >/dev/null; }
until_true 30 "the StatefulSet of a Prometheus" made
# Work for every operator that watches
( n=0; while n=$((n + 1)); do k annotate --overwrite prometheus/p "change=$n" >/dev/null || true; done ) 2>/dev/null & changes=$!
trap 'kill $changes 2>/dev/null || true' EXIT

set_image op v2
until_true 30 "a canary pod" some_canary op
same_pods op "$before"
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 30; canary_gone op
[ "$(state op '.history[0].result')" = promoted ] || fail "not promoted: $(state op '.history[0]')"
note "a good one is promoted: $(status op)"

before=$(pods_of op); uid=$(field statefulset/prometheus-p '{.metadata.uid}')
ARGS=', "--annotations=no/such/key=1"' deploy v2
wait_phase op RolledBack 120; canary_gone op
status op | has 'reconciles failed' || fail "rolled back for another reason: $(status op)"
same_pods op "$before"
[ "$(field statefulset/prometheus-p '{.metadata.uid}')" = "$uid" ] || fail "the StatefulSet is another one"
note "a bad one is rolled back: $(status op)"
