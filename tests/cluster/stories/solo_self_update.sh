# A rolling update of Handover's own Deployment in the middle of 50 rollouts: leadership passes, and nothing is lost. Forty of the
# new versions are good and are promoted, ten fail and are rolled back, each once; no pod of stable restarts on the way.
# TARGETS=N (50). Times: how long nobody worked at each change of the leader.
. ./leadership.sh
n=${TARGETS:-50}
at_exit+=(deploy_handover)
export REPLICAS=1 PROBE_SECONDS=2
many() { # GOOD BAD : the targets with these versions
  local i
  for i in $(seq "$n"); do
    [ "$i" = 1 ] || echo ---
    manifest "op$i" "$([ $((i % 5)) = 0 ] && echo "$2" || echo "$1")" canary-percent=50 soak=25s min-events=10 max-error-rate=5% quiet=1s
  done
}
states() { k get configmaps -o json | jq -r '.items[] | select(.data.state) | (.data.state | fromjson | .phase) + " " + .metadata.name'; }
in_phase() { local s; s=$(states) && grep -cE "^($1) " <<<"$s" || true; }
all_in() { [ "$(in_phase "$1")" = "$n" ]; }
at_least() { [ "$(in_phase "$1")" -ge "$2" ]; }
spread() { states | cut -d' ' -f1 | sort | uniq -c | tr -s ' \n' ' '; }

t=$SECONDS
many v1 v1 | k apply -f - >/dev/null
until_true 100 "all $n targets are adopted (are: $(spread))" all_in Stable
note "$n targets adopted after $((SECONDS - t)) s"; t=$SECONDS
stable=$(k get pods -o json | jq -r '.items[] | .metadata.labels.app + " " + .metadata.uid' | sort)
both_warm
old=$(leader) at=$(term)
many v2 bad | k apply -f - >/dev/null
# Not while fifty pods start: what is measured then is the node. Each has begun its trial; on a slow machine the first ones may have ended it.
on_trial() { [ "$(k get configmaps -o json | jq '[.items[] | select(.data.state) | .data.state | fromjson | select((.phase | IN("Soaking", "RollingBack", "RolledBack", "Promoting")) or (.history | length) > 0)] | length')" = "$n" ]; }
until_true 60 "all of them have begun their trial (are:$(spread))" on_trial
note "when Handover's own update begins:$(spread)"
deploy_handover '.spec.template.spec.containers[0].env += [{name: "ROUND", value: "2"}]' & update=$!
while kill -0 $update 2>/dev/null; do keep_logs; sleep 0.3; done
wait $update
note "when it is complete:$(spread)"
# the Deployment is complete when its old pods are deleted; the last of them may be draining
within 12 "another leader than $old, before the lease expires" other_leads "$old"
until_true 150 "every rollout has ended" all_in 'Stable|RolledBack'
note "$n rollouts, of them $(in_phase RolledBack) rolled back, after $((SECONDS - t)) s"

# image, phase, number of rollouts, UID of stable's pod of each target, from one look at everything
k get configmaps,pods -o json | jq -r '
  ([.items[] | select(.kind == "ConfigMap" and .data.state) | {key: .metadata.name | rtrimstr("-handover"), value: .data.state | fromjson}] | from_entries) as $s |
  .items[] | select(.kind == "Pod" and .metadata.deletionTimestamp == null and .metadata.labels["handover.dev/track"] != "canary") |
  .metadata.labels.app as $t | [$t, (.spec.containers[0].image | sub(".*:"; "")), $s[$t].phase, ($s[$t].history | length), .metadata.uid] | @tsv' >"$kept/ends"
for i in $(seq "$n"); do
  ends=$(grep -P "^op$i\t" "$kept/ends" | tr '\t' ' ') || fail "op$i has no pod"
  if [ $((i % 5)) = 0 ]; then
    [ "$ends" = "op$i v1 RolledBack 1 $(sed -n "s/^op$i //p" <<<"$stable")" ] || fail "a bad one: $ends; stable was $(grep "^op$i " <<<"$stable")"
  else
    [ "${ends% *}" = "op$i v2 Stable 1" ] || fail "a good one: $ends"
  fi
done
restarted=$(k get pods -o json | jq -r '.items[] | select(any(.status.containerStatuses[]?; .restartCount > 0)) | .metadata.name')
[ -z "$restarted" ] || fail "pods restarted: $restarted"
[ "$(term)" -gt "$at" ] || fail "the term is still $at"
keep_logs
for f in $(logs); do # of the terms since the update began
  reasons=$(said "$f" LeaseAcquired "select(.reason and .term > $at) | .reason" | sort -u)
  [[ $reasons = "" || $reasons = released ]] || fail "$(basename "$f") did not come to lead by a release: $reasons"
done
stopped=$(lines "$(log_of "$old")" | jq -r "$US select(.msg == \"stopping\") | .ts | us" | awk 'NR == 1')
successor
note "from SIGTERM to the successor's first reconcile: $(ms $(($(first_work "$new_log") - stopped))), $(said "$new_log" LeaseAcquired 'select(.reason) | .restored_keys') keys restored"
lines "$(log_of "$old")" | jq -r 'select(.phase) | "  " + .ts + " " + .msg + ", in flight: " + (.inflight | tostring)'
never_two
