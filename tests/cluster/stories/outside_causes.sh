# What keeps the canary's pods away and is not the new version's doing: no node, no registry, no ConfigMap. Each is named with the
# cluster's own words, is no verdict however long it lasts (the deadline is 20 s), and the rollout goes on by itself when it is gone.
with_deadline=("${quick[@]}" deadline=20s on-inconclusive=rollback)
apply op v1 "${with_deadline[@]}"; adopted op
step() { # IMAGE_TAG HOLD TEXT JQ_OF_THE_POD CURE...
  local tag=$1 hold=$2 text=$3 change=$4 before; shift 4; before=$(pods_of op)
  k get deployment op -o json | jq ".spec.template.spec |= ($change)" | k replace -f - >/dev/null
  named() { state op '(.hold // "") + " " + .message' | has "$hold.*$text"; }
  until_true 60 "it is held as $hold: $text" named
  for_a_while 25 "it stays no verdict past the deadline" named
  same_pods op "$before"
  "$@"
  until_true 150 "every pod runs the version when $hold is gone" image_is op "$tag"
  wait_phase op Stable 90
  [ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op .history)"
  note "$hold: named, promoted when it was gone"
}
node_labelled() { in_cluster kubectl label nodes --all "$NS=yes" >/dev/null; }
trap 'in_cluster kubectl label nodes --all "$NS-" >/dev/null 2>&1 || true' EXIT
image=${OPERATOR_IMAGE:-localhost/operator}
step v2 PodsUnschedulable "didn't match Pod's node affinity/selector" '.containers[0].image = "'"$image:v2"'" | .nodeSelector = {"'"$NS"'": "yes"}' node_labelled
config_made() { k create configmap wanted --from-literal=A=1 >/dev/null; }
step v3 PodsNotStarted 'configmap .*wanted.* not found' '.containers[0].image = "'"$image:v3"'" | .containers[0].envFrom = [{configMapRef: {name: "wanted"}}]' config_made
if [ -n "${OWN_CLUSTER:-}" ]; then # nothing listens at that address until the image is brought there by hand
  export OPERATOR_IMAGE=127.0.0.1:9/$NS
  image_loaded() { ./cluster.sh load "$OPERATOR_IMAGE:v2" "$OPERATOR_FILES/op-v2" /operator >/dev/null; }
  step v2 ImagePullFailed 'connection refused' '.containers[0].image = "'"$OPERATOR_IMAGE:v2"'"' image_loaded
fi
