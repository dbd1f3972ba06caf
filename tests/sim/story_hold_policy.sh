# shellcheck shell=bash
# Held by the API server's policy, and by spec.paused: without the policy; with it, from the moment in which it is shown to be in effect;
# again without. What is held stays held, whatever is written and whether or not Handover is there; at rest nothing of ours is on the target.
. "$(dirname "$0")/lib.sh"
sim --kubernetes 1.37 --script '{"image":"*:bad","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}'
hold=/apis/admissionregistration.k8s.io/v1
install() {
  local i types=(mutatingadmissionpolicies mutatingadmissionpolicybindings)
  for i in 0 1; do
    api PATCH "$hold/${types[i]}/handover-hold?fieldManager=story" "$(awk -v RS='---\n' -v n=$((i + 1)) 'NR == n' "$top/deploy/manifests/policy/hold/hold.yaml")" application/apply-patch+yaml >/dev/null
  done
}
on_target() { api GET "$deploy/op" | jq -e "$1" >/dev/null; }
rests() { on_target '(.spec.paused | not) and .metadata.annotations["handover.dev/held"] == null and .spec.progressDeadlineSeconds != 2147483647'; }
marked() { on_target '.spec.paused and .metadata.annotations["handover.dev/held"] == "true"'; }
facts() { api GET /api/v1/namespaces/default/configmaps/op-handover | jq -r .data.facts | jq -e "$1" >/dev/null; }
merge() { api PATCH "$deploy/op" "$1" application/merge-patch+json >/dev/null; }
event_seen() { events | has -E "$1"; }
in_service() { until_true 60 "$1 is in service" runs "$1"; wait_phase Stable 30; until_true 10 "at rest" rests; until_true 10 "the canary is gone" no_canary; }

handover a; target op:v1; adopted
facts '.policy == null' || fail "held by a policy that is not there"
install
until_true 40 "not paused at rest" rests; until_true 10 "that is said" event_seen '^HeldByPolicy .*handover-hold'
facts '.policy != null and (.paused | not)' || fail "the state does not say by what it is held"
log_says a '"event":"HoldPolicyShown"' || fail "the log does not say that it was shown"
asked() { api GET /sim/requests | jq -e '[.last[] | select(.method == "PATCH" and (.target | test("/deployments/op[?].*dryRun=All")))] | length'; }
[ "$(asked)" -le 2 ] || fail "it was asked $(asked) times"

# No pod of the bad version but its canary's, whatever is written.
before=$(stable_pods)
set_image op:bad; marked || fail "the write that brings a new template is not held"
merge '{"spec":{"paused":null}}'; marked || fail "another client's resume has an effect"
wait_phase RolledBack 60; [ "$(stable_pods)" = "$before" ] || fail "the pods of stable changed"
marked || fail "not held after the rollback"
api PUT "$deploy/op" "$(api GET "$deploy/op" | jq 'del(.spec.paused, .metadata.annotations["handover.dev/held"])')" >/dev/null
marked || fail "a replacement has an effect"
event_seen '^UnmanagedChange' && fail "something was undone that had no effect"
set_image op:v1; in_service op:v1; [ "$(stable_pods)" = "$before" ] || fail "the pods of stable changed"

# The same text in another notation is no rollout, and a restart is one like any other.
merge '{"spec":{"template":{"metadata":{"annotations":{"restarted":"now"}}}}}'; marked || fail "a restart is not held"
wait_phase Soaking 30; wait_phase Stable 60; until_true 10 "at rest" rests; ended promoted || fail "the restart: $(state '.history[0].result')"

# Handover is away; what takes over leaves a target at rest alone until it knows.
kill -9 "$pid_a"; set_image op:v2; marked || fail "not held while Handover is away"
for_a_while 2 "nothing starts" test "$(stable_pods | wc -l)" = 2
handover b; in_service op:v2
kill -9 "$pid_b"; handover c; until_true 20 "c leads" leads c
for_a_while 3 "a takeover pauses a target at rest" rests

# Gone, and there again.
api DELETE "$hold/mutatingadmissionpolicybindings/handover-hold" >/dev/null
until_true 5 "paused at once" paused; until_true 10 "that is said" event_seen '^HeldByPause '
on_target '.metadata.annotations["handover.dev/held"] == null' || fail "the mark is left"
set_image op:v1; until_true 60 "op:v1 is in service" runs op:v1; wait_phase Stable 30; until_true 10 "paused again" paused
install; until_true 60 "not paused at rest" rests

# Taken out of our hands in the write that brings another image: held, and given back when the former one is back.
api PATCH "$deploy/op" '{"metadata":{"annotations":{"handover.dev/canary-percent":null}},"spec":{"template":{"spec":{"containers":[{"name":"operator","image":"op:v3"}]}}}}' application/strategic-merge-patch+json >/dev/null
marked || fail "the annotation's end lets an image through"
refused() { [ "$(state .hold)" = ReleaseRefused ]; }
until_true 20 "the release is refused" refused; runs op:v1 || fail "it runs another image"; marked || fail "not held any more"
set_image op:v1
left() { rests && on_target '.metadata.annotations["handover.dev/status"] == null' && ! api GET /api/v1/namespaces/default/configmaps/op-handover 2>/dev/null; }
until_true 20 "left as it was" left; runs op:v1 || fail "it runs another image"
