# What the manifests allow is what Handover does, in both directions: every request of the main job is covered by a rule of
# deploy/manifests/10-rbac.yaml, and every verb of a rule is one that was used, but for those that are named here. So with the FlowSchema.
. "$(dirname "$0")/lib.sh"
# An older server: it is listed in pages, where a later one streams its lists, for which the right to watch is enough.
sim --kubernetes 1.20 --load "$top/deploy/manifests/10-rbac.yaml" --script '{"image":"*:bad","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}' --script '{"image":"elector:*","leaderElection":true}'
note_requests() { # "VERB GROUP/RESOURCE" of each; metrics pages go through the proxy only outside of a cluster
  api GET /sim/requests | jq -r '.last[] | select(.userAgent | startswith("handover")) |
    (.target | split("?")) as [$path, $query] |
    ($path | capture("^/(api/v1|apis/(?<group>[^/]+)/[^/]+)(/namespaces/[^/]+)?/(?<resource>[^/]+)(/(?<name>[^/]+))?(?<sub>/.*)?$")) as $at |
    select($at.sub == null) |
    ({"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[.method] //
      (if $at.name then "get" elif ($query // "") | test("watch=true") then "watch" else "list" end)) + " " + ($at.group // "") + "/" + $at.resource' >>"$dir/seen"
  api DELETE /sim/requests >/dev/null # the log holds the last thousand
}
handover a; until_true 10 "a leads" leads a; handover b; until_true 10 "b is ready" log_says b "caches are warm"
target op:v1; adopted; note_requests
set_image op:v2; wait_phase Soaking 20; note_requests; promoted op:v2; note_requests
set_image op:bad; wait_phase RolledBack 40; note_requests
elector() { # a second target, one pod that elects itself
  api POST "$deploy" '{"metadata":{"name":"elector","annotations":{"handover.dev/canary-percent":"50","handover.dev/lease-assist":"always"}},
    "spec":{"replicas":1,"selector":{"matchLabels":{"app":"elector"}},"template":{"metadata":{"labels":{"app":"elector"}},"spec":{"containers":[{"name":"m","image":"elector:1"}]}}}}' >/dev/null
}
elector; lease=/apis/coordination.k8s.io/v1/namespaces/default/leases/elector-lock
settled() { api GET "$lease" | jq -e '(.spec.renewTime[:19] + "Z" | fromdate) - (.spec.acquireTime[:19] + "Z" | fromdate) >= 2' >/dev/null; }
until_true 20 "it leads" settled; note_requests
watched() { log_says a '"reason":"Adopted","target":"default/elector"'; }
until_true 10 "it is watched" watched
api DELETE "/api/v1/namespaces/default/pods/$(api GET "$lease" | jq -r '.spec.holderIdentity | sub("_.*"; "")')" >/dev/null
released() { events | has '^LeaseReleased '; }
until_true 10 "its Lease is released in its stead" released; note_requests
kill -TERM "$pid_a"; until_true 10 "b leads" leads b; note_requests
set_image op:v2; wait_phase Stable 20; annotate canary-percent; left() { ! paused; }
until_true 20 "b leaves the target alone" left
forgotten() { ! api GET /api/v1/namespaces/default/configmaps/op-handover 2>/dev/null; }
until_true 20 "the state is gone" forgotten; note_requests

rights=/apis/rbac.authorization.k8s.io/v1
{ api GET "$rights/clusterroles"; api GET "$rights/roles"; } |
  jq -r '.items[].rules[] | .apiGroups[] as $g | .resources[] as $r | .verbs[] | . + " " + $g + "/" + $r' | sort -u >"$dir/allowed"
[ "$(wc -l <"$dir/allowed")" -gt 15 ] || fail "the manifests were not understood: $(cat "$dir/allowed")"
unused=( # and why it is there all the same
  'get /configmaps'              # a state without our label: read before it is written over
  'get /pods'                    # in a pod: its own, for the time that there is to stop
  'list admissionregistration.k8s.io/mutatingadmissionpolicies' 'watch admissionregistration.k8s.io/mutatingadmissionpolicies' # since 1.36; story hold_policy
  'list admissionregistration.k8s.io/mutatingadmissionpolicybindings' 'watch admissionregistration.k8s.io/mutatingadmissionpolicybindings'
  'list apiregistration.k8s.io/apiservices' # a rehearsal's: story rehearse_operator
  'get apps/statefulsets' 'patch apps/statefulsets' 'get apps/controllerrevisions' 'delete /pods' # story statefulset
  'get events.k8s.io/events' 'patch events.k8s.io/events'  # an Event that is sent again is counted up, a predecessor's too
)
printf '%s\n' "${unused[@]}" | sort >"$dir/unused"
sort -u "$dir/seen" >"$dir/used"
more=$(comm -23 "$dir/used" "$dir/allowed"); [ -z "$more" ] || fail "it does what no rule allows: $more"
less=$(comm -13 "$dir/used" "$dir/allowed" | comm -23 - "$dir/unused"); [ -z "$less" ] || fail "a rule allows what it does not do: $less"

# The FlowSchema is about the very requests for the Lease that the Role allows, of the ServiceAccount that has the Role.
flow=/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas
api POST /sim/types '{"group":"flowcontrol.apiserver.k8s.io","version":"v1","resource":"flowschemas","kind":"FlowSchema","namespaced":false}' >/dev/null
api PATCH "$flow/handover-leader-election?fieldManager=story" "$(cat "$top/deploy/manifests/policy/flowschema.yaml")" application/apply-patch+yaml >/dev/null
api GET "$flow" >"$dir/flow"; api GET "$rights/roles" >"$dir/roles"; api GET "$rights/rolebindings" >"$dir/bindings"
lease_verbs=$(jq -c '[.items[].rules[] | select(.resources == ["leases"]) | .verbs[]] | unique' "$dir/roles")
who=$(jq -c '[.items[] | select(.roleRef.name == "handover" and .metadata.namespace == "handover-system").subjects[] | {kind, name, namespace}] | unique' "$dir/bindings")
jq -e --argjson verbs "$lease_verbs" --argjson who "$who" '.items | length == 1 and (.[0].spec |
  .priorityLevelConfiguration.name == "leader-election" and .matchingPrecedence > 100 and .matchingPrecedence < 9000 and (.rules | length == 1) and
  ([.rules[0].subjects[] | {kind} + .serviceAccount] == $who) and
  (.rules[0].resourceRules | length == 1) and (.rules[0].resourceRules[0] |
    .apiGroups == ["coordination.k8s.io"] and .resources == ["leases"] and .namespaces == ["handover-system"] and (.verbs | unique) == $verbs))' "$dir/flow" >/dev/null ||
  fail "the FlowSchema is not about the Role's Lease requests ($lease_verbs of $who): $(jq -c '.items[].spec' "$dir/flow")"
