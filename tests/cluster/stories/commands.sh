# A person's commands on a real API server: who said it is in the Event and the history, doctor looks at Handover's own rights and at the metrics, a target is
# released and guarded again, and all of it is a plugin of this year's kubectl.
# tags: oldest
# shellcheck shell=bash
[ -x "$HANDOVER_BIN" ] || skip "there is no $HANDOVER_BIN to run beside the cluster"
h() { in_cluster "$HANDOVER_BIN" "$@" -n "$NS"; }
apply op v1 "${quick[@]}" sok=1m; adopted op
until_true 20 "the adoption hints at the misspelt annotation" event_seen 'handover.dev/sok is not known: is handover.dev/soak meant'
account=system:serviceaccount:handover-system:handover
h doctor --as "$account" >doctor.txt 2>&1 || note "doctor ended with $?: $(grep FAIL doctor.txt)"
trap 'rm -f doctor.txt' EXIT
! grep -q '^FAIL  rights' doctor.txt || { cat doctor.txt; fail "Handover's own account lacks rights"; }
[ "$(grep -c '^ok    rights ' doctor.txt)" -ge 8 ] && grep -q '^ok    lease handover-system/handover: ' doctor.txt && grep -q "^warn  annotations $NS/op: handover.dev/sok is not known" doctor.txt ||
  { cat doctor.txt; fail "doctor does not say so"; }
h doctor op >doctor.txt 2>&1 || true
grep -qE "^ok    metrics $NS/op: .*[0-9]+ reconciles" doctor.txt || { cat doctor.txt; fail "the metrics were not read through the pod proxy"; }
! h doctor --as system:serviceaccount:default:default >doctor.txt 2>&1 || fail "an account without rights is well"
grep -q '^FAIL  rights deployments.apps, ' doctor.txt || { cat doctor.txt; fail "missing rights are not reported"; }
k annotate deployment/op handover.dev/sok- >/dev/null

set_image op v2; wait_phase op Soaking 60
h status | has -E '^op +Soaking .* -> ' || fail "status: $(h status)"
[ "$(h get -o name)" = deployment.apps/op ] || fail "get -o name"
me=$(in_cluster kubectl config view -o jsonpath='{.users[0].name}')
said=$(h abort op 2>&1) || fail "abort said $said"
wait_phase op RolledBack 60
until_true 20 "the Event says who" event_seen "aborted by $me"
h history op | has "aborted by $me" || fail "history: $(h history op)"
dir=$(mktemp -d); ln -s "$HANDOVER_BIN" "$dir/kubectl-handover"; ln -s "$HANDOVER_BIN" "$dir/kubectl_complete-handover"
PATH=$dir:$PATH in_cluster kubectl handover history op -n "$NS" -o json | jq -e '.version == 1 and .rollouts[0].result == "aborted"' >/dev/null || fail "kubectl handover history"
[ "$(PATH=$dir:$PATH in_cluster kubectl_complete-handover explain -n "$NS" o)" = "$(printf 'op\n:4')" ] || fail "the plugin's completion"
rm -rf "$dir"

! said=$(h release op --timeout=5s 2>&1) || fail "released although v2 is not in service: $said"
has -E 'which is not in service|has not done so' <<<"$said" || fail "release said $said"
until_true 30 "v1 alone runs, the canary's pods have ended" image_is op v1
paused op || fail "the refused release has unpaused it"
h release op --force | has ': released$' || fail "the forced release"
until_true 90 "v2 runs, as spec says" image_is op v2
not_paused op || fail "still paused"
k get configmap op-handover >/dev/null 2>&1 && fail "the state is left"
k annotate deployment/op handover.dev/canary-percent=50 >/dev/null; until_true 60 "guarded again" paused op; wait_phase op Stable 60
h release --all | has ': released$' || fail "release --all"
until_true 30 "unpaused" not_paused op
