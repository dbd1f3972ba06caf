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
    manifest "op$i" "$([ $((i % 5)) = 0 ] && echo "$2" || echo "$1")" canary-percent=50 soak=15s min-events=10 max-error-rate=5% quiet=1s
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
until_true 60 "a good part of them is on trial" at_least 'Starting|Soaking|Canary|Promoting' $((n / 4))
note "when Handover's own update begins:$(spread)"
deploy_handover '.spec.template.spec.containers[0].env += [{name: "ROUND", value: "2"}]' & update=$!
while kill -0 $update 2>/dev/null; do keep_logs; sleep 0.3; done
wait $update
note "when it is complete:$(spread)"
other_leads "$old" || fail "the leader is the same after the update"
until_true 150 "every rollout has ended" all_in 'Stable|RolledBack'
note "$n rollouts, of them $(in_phase RolledBack) rolled back, after $((SECONDS - t)) s"

for i in $(seq "$n"); do
  if [ $((i % 5)) = 0 ]; then
    phase_is "op$i" RolledBack || fail "op$i, a bad one, is in phase $(phase "op$i")"
    image_is "op$i" v1 || fail "op$i does not run v1"
    grep -qx "op$i $(k get pods -l "app=op$i,handover.dev/track!=canary" -o 'jsonpath={.items[0].metadata.uid}')" <<<"$stable" || fail "op$i: stable's pod is another one"
  else
    phase_is "op$i" Stable || fail "op$i, a good one, is in phase $(phase "op$i")"
    image_is "op$i" v2 || fail "op$i does not run v2"
  fi
  [ "$(state "op$i" '.history | length')" = 1 ] || fail "op$i: more than one rollout: $(state "op$i" .history)"
done
restarted=$(k get pods -o json | jq -r '.items[] | select(any(.status.containerStatuses[]?; .restartCount > 0)) | .metadata.name')
[ -z "$restarted" ] || fail "pods restarted: $restarted"
[ "$(term)" -gt "$at" ] || fail "the term is still $at"
keep_logs
for f in $(logs); do
  [ -z "$(said "$f" leading 'select(.reason) | .reason' | grep -vx released)" ] || [ "$(said "$f" starting .identity)" = "$old" ] ||
    fail "$(basename "$f") did not come to lead by a release: $(said "$f" leading)"
done
never_two
