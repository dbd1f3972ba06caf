# Mode objects: an operator that takes a label selector, 200 objects of a custom kind. A canary gets 10 % of them, whichever end the rollout comes to, and
# Handover is killed in the middle of taking objects, of giving them back, and before its target is deleted. Everything that ever happened to a label is
# held against the lives of the canary's pods: no object has two owners, and none is labelled at the end.
. "$(dirname "$0")/lib.sh"
total=200 share=20
crd='{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.example.com"},"spec":{"group":"example.com","scope":"Namespaced",
  "names":{"kind":"Widget","listKind":"WidgetList","plural":"widgets","singular":"widget"},"versions":[{"name":"v1","served":true,"storage":true,
  "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}'
sim --load "$top/deploy/manifests/12-objects.yaml" --script '{"image":"*","reconcilesPerSecond":40}'
api POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions "$crd" >/dev/null
widgets=/apis/example.com/v1/namespaces/default/widgets
for i in $(seq $total); do api POST "$widgets" "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"w$i\",\"labels\":{\"for\":\"op\"}}}" >/dev/null; done
curl -sSN "$server$widgets?watch=true&resourceVersion=0" >"$dir/widgets.watch" & pids+=($!)
curl -sSN "$server/api/v1/namespaces/default/pods?watch=true&resourceVersion=0" >"$dir/pods.watch" & pids+=($!)

labelled() { api GET "$widgets?labelSelector=handover.dev%2Ftrack${1:+%3D$1}" | jq '.items | length'; } # [TRACK] : so many
are() { [ "$(labelled "$1")" = "$2" ]; }
some() { local n; n=$(labelled "$1") && [ "$n" -gt 0 ]; }
none_labelled() { are '' 0; }
slow() { fault "{\"match\":{$ours,\"method\":\"PATCH\",\"path\":\"*/widgets/*\"},\"count\":-1,\"latencyMs\":$1}"; }
target() { # NAME : an operator with a selector among its arguments
  api POST "$deploy" "$(jq -n --arg name "$1" '{apiVersion:"apps/v1",kind:"Deployment",metadata:{name:$name,annotations:{
    "handover.dev/canary-percent":"10","handover.dev/mode":"objects","handover.dev/objects":"widgets.v1.example.com selector=for=op","handover.dev/soak":"3s",
    "handover.dev/max-error-rate":"5%","handover.dev/quiet":"1s"}},spec:{replicas:2,selector:{matchLabels:{app:$name}},template:{metadata:{labels:{app:$name}},
    spec:{containers:[{name:"operator",image:"op:v1",args:["--selector=for=op,handover.dev/track notin (canary,moving)"]}]}}}}')" >/dev/null
}

# Without the right to list them: held, with the rule that is missing
fault "{\"match\":{$ours,\"method\":\"GET\",\"path\":\"*/widgets\"},\"count\":-1,\"status\":403}"
handover a; until_true 20 "a leads" leads a; target op; adopted
set_image op:v2
says() { state .message | has -E "$1"; }
until_true 20 "the missing right is named" says 'aggregate-to-handover: "true" lacks the rule .apiGroups: ."example.com".?, resources: .widgets.?, verbs: .list, watch, patch'
state .hold | has InvalidConfig || fail "held for $(state .hold)"
no_canary || fail "a canary was made"
fault '{"clear":true}'
wait_phase Soaking 60
are canary $share || fail "$(labelled canary) of $total objects are the canary's"
state .message | has "got $share of $total objects" || fail "the message: $(state .message)"
api GET "/api/v1/namespaces/default/pods?labelSelector=handover.dev%2Ftrack%3Dcanary" | jq -e '[.items[].spec.containers[0].args[0]] == ["--selector=for=op,handover.dev/track=canary"]' >/dev/null ||
  fail "the canary's arguments are others"
promoted op:v2; none_labelled || fail "$(labelled) objects are labelled after the promotion"
events | has "^SliceMoved $share of $total objects" || fail "no Event SliceMoved"
events | has '^SliceReturned' || fail "no Event SliceReturned"

api GET /apis/rbac.authorization.k8s.io/v1/clusterroles/handover-objects | jq -e '.aggregationRule.clusterRoleSelectors[0].matchLabels["handover.dev/aggregate-to-handover"] == "true"' >/dev/null ||
  fail "the role that collects rights has no such label"
did=$(api GET /sim/requests | jq -r '.last[] | select((.userAgent | startswith("handover")) and (.target | test("/widgets[/?]|/widgets$"))) |
  if .method == "PATCH" then "patch" elif .method != "GET" then .method elif (.target | test("watch=true")) then "watch" elif (.target | test("/widgets/")) then "get" else "list" end' | sort -u | tr '\n' ' ')
[[ $did == "list patch watch " || $did == "patch watch " ]] || fail "it did to objects: $did"

# Killed while it takes objects from stable
annotate soak '"60s"'
handover b; until_true 10 "b is ready" log_says b "caches are warm"
slow 150
set_image op:bad
until_true 30 "objects are being taken" some moving
kill -9 "$pid_a"; until_true 20 "b leads" leads b
fault '{"clear":true}'
wait_phase Soaking 60; are canary $share || fail "$(labelled canary) objects are the canary's"
# Killed while it gives them back
handover c; until_true 10 "c is ready" log_says c "caches are warm"
slow 150; script '{"image":"*:bad","errorRate":0.5,"reconcilesPerSecond":40}'
wait_phase RollingBack 60
fewer() { local n; n=$(labelled canary) && [ "$n" -lt $share ]; }
until_true 60 "some are given back" fewer
kill -9 "$pid_b"; until_true 20 "c leads" leads c
fault '{"clear":true}'
wait_phase RolledBack 60; ended failed || fail "the history says $(state '.history[0].result')"
none_labelled || fail "$(labelled) objects are labelled after the rollback"
runs op:v2 || fail "stable was touched"

# Deleted in the middle, while nobody leads
set_image op:v3; wait_phase Soaking 60; kill -9 "$pid_c"
api DELETE "$deploy/op" >/dev/null; until_true 30 "the canary's pods are gone" no_canary
are canary $share || fail "somebody took the labels off"
handover d; until_true 30 "no object is labelled" none_labelled
forgotten() { ! api GET /api/v1/namespaces/default/configmaps/op-handover >/dev/null 2>&1; }
until_true 20 "its state is gone" forgotten

# What ever happened, in the order of its resourceVersion
jq -c 'select(.type != "BOOKMARK") | [(.object.metadata.resourceVersion | tonumber), "object", .object.metadata.name, (.object.metadata.labels["handover.dev/track"] // "stable")]' "$dir/widgets.watch" >"$dir/all" || true
jq -c 'select(.type != "BOOKMARK" and .object.metadata.labels["handover.dev/track"] == "canary") | [(.object.metadata.resourceVersion | tonumber), "pod", .object.metadata.name, .type]' "$dir/pods.watch" >>"$dir/all" || true
jq -rs 'sort_by(.[0]) | reduce .[] as [$rv, $what, $name, $is] ({owner: {}, alive: {}, moves: 0, bad: []};
  if $what == "pod" then (if $is == "DELETED" then .alive |= del(.[$name]) else .alive[$name] = true end)
  else (.owner[$name] // "stable") as $was |
    if $was == $is then . else .moves += 1 |
      if ($was == "stable" and $is == "canary") or ($was == "canary" and $is == "moving") then .bad += ["\($name) passes from \($was) to \($is)"]
      elif $was == "canary" and $is == "stable" and (.alive | length) > 0 then .bad += ["\($name) is given back while \(.alive | keys) live"] else . end
    end | .owner[$name] = $is end) | "\(.moves) \(.bad | length) \(.bad[:5])"' "$dir/all" >"$dir/audit"
read -r moves wrong rest <"$dir/audit"
[ "$moves" -ge $((9 * share)) ] || fail "only $moves changes of owners were seen: $(cat "$dir/audit")"
[ "$wrong" = 0 ] || fail "$wrong wrong passages: $rest"
echo "$moves changes of owners, no object had two"
