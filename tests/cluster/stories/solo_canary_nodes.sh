# The canary on nodes of its own (`canary-nodes`): no such node, and it is held for and named; then it runs there and nowhere else, its pods
# spread over all of them, while stable stays where it was; what is promoted runs where the template says.
# shellcheck shell=bash
[ -n "${OWN_CLUSTER:-}" ] || skip "it needs a second node"
trap 'in_cluster kubectl label nodes --all pool- >/dev/null 2>&1 || true; ./cluster.sh node 2 down' EXIT
./cluster.sh node 2 up
order() { k annotate --overwrite deployment/op "handover.dev/$1=$(state op .hash)" >/dev/null; } # COMMAND
export REPLICAS=4
with_nodes=("${quick[@]}" canary-nodes=pool=canary)
apply op v1 "${with_nodes[@]}"; adopted op; before=$(pods_of op)
set_image op v2
named() { state op '(.hold // "") + " " + .message' | has "PodsUnschedulable.*didn't match Pod's node affinity/selector"; }
until_true 90 "no node has the label, and that is said" named
note "$(state op .message | cut -c1-200)"
nodes_of() { k get pods -l "app=op,handover.dev/track$1" -o json | jq -r ".items[] | $LIVING | .spec.nodeName" | sort | uniq -c | awk '{print $2 "=" $1}' | tr '\n' ' '; }
in_cluster kubectl label node node1 node2 pool=canary >/dev/null
until_true 120 "every pod runs v2 when there are such nodes" image_is op v2
wait_phase op Stable 60
rs=$(field deployment/op '{.spec.template.spec.nodeSelector}'); [ -z "$rs" ] || fail "the template has a nodeSelector: $rs"

in_cluster kubectl label node node1 pool- >/dev/null
k annotate deployment op --overwrite handover.dev/soak=60s handover.dev/min-events=4000 >/dev/null
before=$(pods_of op); set_image op v3
wait_phase op Soaking 60
[ "$(nodes_of '=canary')" = "node2=4 " ] || fail "the canary runs on $(nodes_of '=canary')"
same_pods op "$before"
in_cluster kubectl label node node1 pool=canary >/dev/null
order retry
spread() { nodes_of '=canary' | has -x 'node1=[123] node2=[123] '; }
until_true 90 "canary pods on both nodes" spread
note "canary pods: $(nodes_of '=canary')"
same_pods op "$before"

# Another value than the template's own, and a node by name: refused with words, nothing is made.
order abort; wait_phase op RolledBack 60
k get deployment op -o json | jq '.spec.template.spec.nodeSelector = {pool: "main"}' | k replace -f - >/dev/null
refused() { state op '(.hold // "") + " " + .message' | has "InvalidConfig.*$1"; }
until_true 60 "the contradiction is named" refused 'contradicts the template.s own spec.nodeSelector, where pool is "main"'
until_true 30 "no canary is made" no_canary op
k get deployment op -o json | jq '.spec.template.spec |= (del(.nodeSelector) | .nodeName = "node1")' | k replace -f - >/dev/null
until_true 60 "the node by name is refused" refused 'the template.s spec.nodeName is "node1"'
same_pods op "$before"
k get deployment op -o json | jq '.spec.template.spec |= (del(.nodeName) | .containers[0].image |= sub(":v.$"; ":v2"))' | k replace -f - >/dev/null
wait_phase op Stable 60; same_pods op "$before"
