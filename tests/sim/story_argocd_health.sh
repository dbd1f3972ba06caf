# shellcheck shell=bash
# Argo CD's health of a target in each phase (deploy/gitops/argocd-health.yaml), held by spec.paused and by the API server's policy: the Lua is run
# on the objects as they are at that moment, and on Deployments that are nobody's target.
. "$(dirname "$0")/lib.sh"
lua=; for l in lua5.1 lua5.4 lua5.3 lua; do command -v "$l" >/dev/null && { lua=$l; break; }; done # Argo CD's own is 5.1
[ -n "$lua" ] || { echo "SKIPPED: no Lua is installed (Debian: lua5.1)"; exit 77; }
sed -n '/resource.customizations.health.apps_Deployment/,$p' "$top/deploy/gitops/argocd-health.yaml" | sed '1d; s/^    //' >"$dir/check.lua"
[ "$(wc -l <"$dir/check.lua")" -gt 30 ] || fail "the customisation was not understood"
# a JSON value as a Lua expression
to_lua='def lua: if type == "object" then "{" + ([to_entries[] | "[" + (.key | tojson) + "]=" + (.value | lua)] | join(",")) + "}"
  elif type == "array" then "{" + ([.[] | lua] | join(",")) + "}" elif type == "string" then (tojson | gsub("\\\\u(?<d>[0-9a-f]{4})"; "?")) elif . == null then "nil" else tojson end; lua'
health() { # of the object on standard input
  { printf 'local obj = '; jq -r "$to_lua"; printf '\nlocal h = (function()\n'; cat "$dir/check.lua"; printf 'end)()\nprint(h.status, h.message)\n'; } >"$dir/run.lua"
  "$lua" "$dir/run.lua" | tr '\t' ' '
}
object() { api GET "$deploy/op"; }
seen() { object | health >"$dir/health" && has -E "$1" <"$dir/health"; }
is() { until_true "${2:-30}" "health $1, is $(cat "$dir/health" 2>/dev/null)" seen "^$1"; }
touch "$dir/health"

# As Argo CD's own check (its cases, in short)
plain() { jq -n "{metadata: {generation: 2, annotations: {}}, spec: {replicas: 2}, status: {observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2}} | $1" | health; }
plain . | has '^Healthy' || fail "a complete Deployment"
plain '.spec.paused = true' | has '^Suspended' || fail "a paused one"
plain '.status.observedGeneration = 1' | has '^Progressing' || fail "one that is not seen yet"
plain '.status.updatedReplicas = 1' | has '^Progressing .*1 out of 2' || fail "one that is updated"
plain '.status.replicas = 3' | has '^Progressing .*1 old replicas' || fail "one with old pods"
plain '.status.availableReplicas = 1' | has '^Progressing .*1 of 2' || fail "one that is not available"
plain '.status.conditions = [{type: "Progressing", reason: "ProgressDeadlineExceeded"}]' | has '^Degraded' || fail "one that is late"
plain '.metadata.annotations["handover.dev/status"] = "Stable: x" | .spec.paused = true' | has '^Suspended' || fail "one that has left"

sim --kubernetes 1.37 --script '{"image":"*:bad?","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}'
a_rollout_of_each_kind() { # PAUSED-AT-REST BAD-IMAGE
  is Healthy; object | jq -e ".spec.paused == $1" >/dev/null || fail "paused at rest: $(object | jq .spec.paused)"
  set_image "$2"; is Progressing 10; is "Degraded RolledBack: $2 was rolled back" 60
  set_image op:v1; is Healthy
  annotate max-error-rate '"much"'; is 'Degraded .*InvalidConfig'; annotate max-error-rate '"5%"'; is Healthy
  set_image op:v2; is 'Progressing S(tarting|oaking): '; api PATCH "$deploy/op" "$(object | jq -c '{metadata: {annotations: {"handover.dev/pause": ($h + "@" + $n)}}}' --arg h "$(state .hash)" --arg n "${2/:/}")" application/merge-patch+json >/dev/null
  is 'Suspended S(tarting|oaking) \(PausedByUser\)'
  api PATCH "$deploy/op" "$(jq -nc '{metadata: {annotations: {"handover.dev/resume": ($h + "@" + $n)}}}' --arg h "$(state .hash)" --arg n "${2/:/}")" application/merge-patch+json >/dev/null
  is 'Healthy Stable: op:v2 is in service' 60
  set_image op:v1; is 'Healthy Stable: op:v1 is in service' 60
}
handover a; target op:v1; adopted
a_rollout_of_each_kind true op:bad1
for p in mutatingadmissionpolicies mutatingadmissionpolicybindings; do
  api POST "/apis/admissionregistration.k8s.io/v1/$p" '{"metadata":{"name":"handover-hold"}}' >/dev/null
done
open() { object | jq -e '.spec.paused | not' >/dev/null; }
until_true 40 "not paused at rest" open
a_rollout_of_each_kind null op:bad2
