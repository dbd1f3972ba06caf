# The first steps of README.md, as a new user takes them: Handover by its own `install`, a target, an update, what kubectl shows of it, a pipeline that waits; `install` again changes
# nothing, `uninstall` is refused while there is a target, and leaves nothing behind.
# seconds: 600
# shellcheck shell=bash
[ -x "$HANDOVER_BIN" ] || skip "there is no $HANDOVER_BIN to run beside the cluster"
h() { in_cluster "$HANDOVER_BIN" "$@"; }
d=$(mktemp -d)
others() { for f in "$TOP"/deploy/manifests/[0-9]*.yaml; do printf -- '---\n'; cat "$f"; done; } # those that run.sh has applied
trap 'rm -rf "$d"; deploy_handover' EXIT
h release --all -A >/dev/null 2>&1 || true # of stories whose namespaces are on their way out
others | in_cluster kubectl delete -f - --ignore-not-found --timeout=120s >/dev/null || fail "what run.sh has installed cannot be deleted"
all() { # of every kind that there is, but Events, pods that end, and the states of other stories' targets
  local kinds; kinds=$(in_cluster kubectl api-resources --verbs=list -o name | grep -vE '^(events|pods|componentstatuses)($|\.)' | paste -sd,)
  in_cluster kubectl get "$kinds" -A -o name 2>/dev/null | grep handover | grep -vE '^configmap/.*-handover$' | sort || true # nothing is no failure
}
all >"$d/before"

image=${HANDOVER_IMAGE:-localhost/handover:test}
h install --image="$image" >"$d/said" 2>&1 || fail "install: $(cat "$d/said")"
in_cluster kubectl -n handover-system rollout status deployment/handover --timeout=180s >/dev/null || fail "it is not rolled out"
until_true 30 "it leads" eval '[ -n "$(leader)" ]'
versions() { in_cluster kubectl -n handover-system get deployment/handover clusterrole/handover serviceaccount/handover -o json | jq -c '.items[].metadata | [.name, .uid, .generation]'; }
versions >"$d/first"
h install --image="$image" >"$d/said" 2>&1 || fail "install again: $(cat "$d/said")"
diff "$d/first" <(versions) || fail "the second install changed something"
# An option of `run`, as docs/operations.md has it: the next install says that it is another client's, and takes it with --force.
in_cluster kubectl -n handover-system patch deployment/handover --type=json -p '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--check-hosts=checks.example.com"}]' >/dev/null
! h install --image="$image" >"$d/said" 2>&1 || fail "another client's option is taken without a word"
has 'another client has set it otherwise: --force' <"$d/said" || fail "install said $(cat "$d/said")"
h install --image="$image" --force >"$d/said" 2>&1 || fail "install --force: $(cat "$d/said")"
in_cluster kubectl -n handover-system rollout status deployment/handover --timeout=180s >/dev/null || fail "it is not rolled out again"

manifest op v1 | k apply -f - >/dev/null
k annotate deployment/op handover.dev/canary-percent=50 handover.dev/soak=8s handover.dev/quiet=1s handover.dev/max-error-rate=5% >/dev/null
wait_phase op Stable 60
set_image op v2
h status op -n "$NS" --wait --timeout 3m >"$d/said" 2>&1 || fail "status --wait ended with $?: $(cat "$d/said")"
until_true 60 "every pod runs v2" image_is op v2
h explain op -n "$NS" | has 'v2' || fail "explain: $(h explain op -n "$NS")"

# What kubectl shows: each word of it once, also where Events are core/v1.
until_true 30 "an Event says that it was promoted" event_seen '^Promoted '
in_cluster kubectl -n "$NS" get events --sort-by=.metadata.creationTimestamp >"$d/events"
in_cluster kubectl -n "$NS" describe deployment op >"$d/described"
for reason in Adopted RolloutStarted Soaking Promoting Promoted; do
  [ "$(grep -cE "^[^ ]+ +Normal +$reason +deployment/op +" "$d/events")" = 1 ] || fail "kubectl get events, $reason: $(cat "$d/events")"
  [ "$(grep -cE "^ +Normal +$reason +[^ ]+ .* handover +" "$d/described")" = 1 ] || fail "kubectl describe, $reason: $(cat "$d/described")"
done
! grep -q '<unknown>.*deployment/op' "$d/events" || fail "an Event without a time: $(cat "$d/events")"
in_cluster kubectl -n "$NS" get events.events.k8s.io -o json | jq '[.items[] | select(.reportingController == "handover")]' >"$d/ours"
jq -e 'all(.[]; .regarding.kind == "Deployment" and .regarding.name == "op" and (.action | length > 0) and (.reportingInstance | startswith("handover-")))
  and ([.[] | [.type, .reason, .note]] | length == (unique | length))
  and any(.[]; .reason == "Soaking" and .related.kind == "ReplicaSet" and (.related.name | startswith("op-canary-")))' "$d/ours" >/dev/null ||
  fail "the Events: $(jq -c '.[] | [.reason, .note, .related, .series]' "$d/ours")"

# Out of the cluster again.
! h uninstall >"$d/said" 2>&1 || fail "uninstall is not refused while there is a target"
has -F "deployment/op in namespace $NS is a target" <"$d/said" || fail "uninstall said $(cat "$d/said")"
h release --all -A >/dev/null 2>&1 || fail "release"
released() { [ -z "$(h get -A -o name)" ]; }
until_true 60 "there are no targets" released
h uninstall >"$d/said" 2>&1 || fail "uninstall: $(cat "$d/said")"
gone() { ! in_cluster kubectl get namespace handover-system >/dev/null 2>&1; }
until_true 60 "the namespace is gone" gone
diff "$d/before" <(all) || fail "something is left behind"
image_is op v2 && not_paused op || fail "the target does not go on without Handover"
