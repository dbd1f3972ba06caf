# Two instances as deploy/namespaced/handover.yaml installs them, each for one namespace, at the same time: both lead, each manages its
# own target and asks for nothing outside of its namespace and handover-system. Its rules are those of deploy/manifests/10-rbac.yaml.
. "$(dirname "$0")/lib.sh"
for ns in team-a team-b; do sed "s/TENANT/$ns/g" "$top/deploy/namespaced/handover.yaml"; echo ---; done >"$dir/namespaced.yaml"
cat "$top/deploy/manifests/10-rbac.yaml" >>"$dir/namespaced.yaml"
sim --load "$dir/namespaced.yaml" --script '{"image":"*:v?","reconcilesPerSecond":40}'
rights=/apis/rbac.authorization.k8s.io/v1
rules() { api GET "$rights/$1" | sed 's/handover-team-a/handover/g' | jq -cS .rules; }
[ "$(rules clusterroles/handover)" = "$(rules namespaces/team-a/roles/handover)" ] || fail "other rules for a target's namespace"
[ "$(rules clusterroles/handover-statefulsets)" = "$(rules namespaces/team-a/roles/handover-statefulsets)" ] || fail "other rules for StatefulSets"
[ "$(rules clusterroles/handover-hold-policy)" = "$(rules clusterroles/handover-hold-policy-team-a)" ] || fail "other rules for the policy"
[ "$(rules namespaces/handover-system/roles/handover)" = "$(rules namespaces/handover-system/roles/handover-team-a)" ] || fail "other rules for handover-system"

instance() { # NAMESPACE : with the arguments of its Deployment
  local args; mapfile -t args < <(api GET "/apis/apps/v1/namespaces/handover-system/deployments/handover-$1" |
    jq -r '.spec.template.spec.containers[0].args[] | select(test("^(run$|--admin|--log)") | not)')
  [[ " ${args[*]} " == *" --lease-name=handover-$1 "* ]] || fail "no Lease name of its own: ${args[*]}"
  handover "$1" "${args[@]}"
  until_true 10 "the instance of $1 leads" holds "$1"
}
holds() { api GET "/apis/coordination.k8s.io/v1/namespaces/handover-system/leases/handover-$1" | jq -e --arg who "$1" '.spec.holderIdentity | startswith($who + "_")' >/dev/null; }
everywhere() { # paths that an instance asked for outside of its namespace and handover-system
  api GET /sim/requests | jq -r --arg ns "$1" '.last[] | select(.userAgent | startswith("handover")) | .target |
    select(test("/namespaces/(" + $ns + "|handover-system)/") | not) |
    select(test("^/apis/admissionregistration.k8s.io/v1($|/mutatingadmissionpolic(ies|ybindings)[?]fieldSelector=metadata.name%3Dhandover-hold&)") | not)'
}
state_in() { api GET "/api/v1/namespaces/$1/configmaps/op-handover" | jq -r .data.state | jq -e "$2" >/dev/null; }
instance team-a
for ns in team-a team-b; do deploy=/apis/apps/v1/namespaces/$ns/deployments; target op:v1; done
until_true 20 "team-a's target is adopted" state_in team-a '.phase == "Stable"'
! state_in team-b . 2>/dev/null || fail "team-a's instance manages team-b's target"
foreign=$(everywhere team-a); [ -z "$foreign" ] || fail "it asks for what is not its own: $foreign"
instance team-b; until_true 20 "team-b's target is adopted" state_in team-b '.phase == "Stable"'
deploy=/apis/apps/v1/namespaces/team-b/deployments; set_image op:v2
until_true 40 "team-b's rollout" state_in team-b '.history[0].result == "promoted"'
holds team-a || fail "team-a's instance does not lead any more"
