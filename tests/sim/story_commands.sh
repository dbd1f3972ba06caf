# What a person asks and says: explain has the evidence, each signal, what comes next and when, the canary's pods and what differs;
# promote, pause, resume, abort and retry are carried out when they return, again and again for one version, or say why not;
# status --wait ends with a pipeline's exit codes.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
rate='"reconcilesPerSecond":40'
sim --script "{\"image\":\"*:v?\",$rate}" --script "{\"image\":\"*:writes\",\"writesPerReconcile\":1,$rate}"
ask() { "$HANDOVER" "$@" --server="$server"; }
says() { # EXIT-CODE PATTERN COMMAND... : ends like that, with such a line
  local rc=0 want=$1 pattern=$2; shift 2
  ask "$@" >"$dir/said" 2>&1 || rc=$?
  [ $rc = "$want" ] && grep -qE "$pattern" "$dir/said" || fail "$* ended with $rc and said: $(cat "$dir/said")"
}
explains() { ask explain deployment/op >"$dir/explained" && grep -qE "$1" "$dir/explained"; }
explained() { until_true 30 "explain says $1" explains "$1"; }
handover a; target op:v1 canary-percent=50 soak=20s max-error-rate=5% quiet=1s; adopted
explained '^default/op: Stable since '
explains '^    nothing, until spec.template changes' || fail "nothing is to happen next"
says 0 '^deployment/op: promoted: op:v1 is in service$' status op --wait
set_image op:writes
says 4 '^deployment/op: held: Soaking, SignalRaised: writes: ' status op --wait
explained '^Held: SignalRaised since ([0-9]{4}-[0-9]{2}-[0-9]{2} )?[0-9:]+Z '
for line in '^default/op: Soaking since ([0-9]{4}-[0-9]{2}-[0-9]{2} )?[0-9:]+Z \([0-9a-z]+ ago\)$' '^    op:v1 -> op:writes, template ' \
  '^    step 1 of 1: wanted 50 %, got 50 % of 4 pods; watched for [0-9]+' '^    canary 0 errors of [0-9]+ \(0.0 %' '^    odds that it is bad: 1 to [0-9]+, rolled back at 100 to 1' \
  '^    writes: speaks against it, holds and asks: [0-9]+ writes in [0-9]+ reconciles; stable [0-9]+ in [0-9]+$' '^    webhooks: no metrics' \
  '^    ([0-9]{4}-[0-9]{2}-[0-9]{2} )?[0-9:]+Z \(in [0-9a-z]+\): at the deadline, without a verdict: held, and a person decides \(on-inconclusive: pause\)$' \
  '^    op-canary-[a-z0-9]+-[a-z0-9]+ on .*: ready, 0 restarts$' '^    spec.containers\[operator\].image: "op:v1" -> "op:writes"$'; do
  grep -qE "$line" "$dir/explained" || { cat "$dir/explained"; fail "explain does not say $line"; }
done
ask explain op -o json >"$dir/json"
jq -e '.version == 1 and .phase == "Soaking" and .hold == "SignalRaised" and (.rollout.signals[] | select(.name == "writes") | .state == "speaks" and .does == "hold")
  and (.canaryPods.pods | length == 2) and .templateDiff.changes[0].to == "\"op:writes\"" and (.rollout.evidence.cleanToPass | type == "number")' "$dir/json" >/dev/null ||
  { jq . "$dir/json"; fail "the JSON is not what the documentation says"; }
ask explain none 2>"$dir/none" && fail "a target that does not exist is explained"
[ "$(cat "$dir/none")" = "handover: there is no deployment/none in namespace default" ] || fail "it says $(cat "$dir/none")"

says 0 '^deployment/op: pause accepted, Soaking: paused by a user; to go on: ' pause deployment/op
[ "$(state .hold)" = PausedByUser ] || fail "it is not paused: $(state .hold)"
says 0 '^deployment/op: resume accepted, Soaking: ' resume op
says 1 'there is nothing to resume in phase Soaking.*; allowed now: promote, pause, abort, retry$' resume op
for _ in 1 2; do # the same version twice
  says 0 '^deployment/op: abort accepted, Roll(ingBack|edBack): op:writes (is being|was) rolled back: aborted by a user$' abort op
  says 3 '^deployment/op: rolled back: aborted by a user$' status op --wait; ended aborted || fail "the history says $(state '.history[0].result')"
  says 1 'there is nothing to abort in phase RolledBack; allowed now: promote, retry$' abort op
  says 0 '^deployment/op: retry accepted, ' retry op
  wait_phase Soaking 20
done
says 0 '^deployment/op: promote accepted, Promoting: op:writes is being rolled out: by a user$' promote op
says 0 '^deployment/op: promoted: op:writes is in service' status op --wait
promoted op:writes
api GET "$deploy/op" | jq -e '.metadata.annotations | keys | map(select(test("promote|pause|resume|abort|retry"))) == []' >/dev/null || fail "a command's annotation is left"
says 1 'there is nothing to pause in phase Stable; allowed now: nothing$' pause op
kill -TERM "$pid_a"; until_true 10 "nobody leads" leads ''
set_image op:v2
says 1 'promote is asked for, and Handover has not carried it out within 300ms; nobody leads. To take it back: kubectl annotate deployment/op -n default handover.dev/promote-$' \
  promote op --timeout=300ms --lease-namespace=default
says 5 '^handover: deployment/op: timed out after 1s: Stable: op:writes is in service' status op --wait --timeout=1s # nothing has begun
handover b # the word is carried out when one leads
says 0 '^deployment/op: promoted: op:v2 is in service' status op --wait
runs op:v2 || fail "op:v2 is not in service"
ask status deployment/op | has -E '^op +Stable ' || fail "status of one target"

# Back to a former version: through a trial, out of it, at once within the rollback window or by a person's word; forward again it is tried.
again() { echo "^deployment/op: spec.template is $1 again \\([a-z0-9]+, of ReplicaSet op-[a-z0-9]+\\), $2: "; }
says 0 "$(again op:writes '(Starting|Soaking)')" undo op
says 0 "$(again op:v2 '(Cancelling|Stable)')" undo op
wait_phase Stable 20; runs op:v2 || fail "stable was touched"
annotate rollback-window '"1"'
says 0 "$(again op:writes Promoting)op:writes is being rolled out: within the rollback window\$" undo op
promoted op:writes; events | has '^WithinRollbackWindow '
says 0 "$(again op:v2 '(Starting|Soaking)')" undo op
says 0 "$(again op:writes '(Cancelling|Stable)')" undo op; wait_phase Stable 20
says 0 "$(again op:v2 Promoting)op:v2 is being rolled out: by a user" undo op --now
promoted op:v2
says 1 'no ReplicaSet of it has template abc: .*spec.revisionHistoryLimit: 10.*; there are: [a-z0-9]+ \(op:' undo op --to-hash=abc
says 2 'read "A.B"; allowed is a template' undo op --to-hash=A.B

# A person is asked between two steps, and before the promotion.
annotate canary-percent '"25,pause,50,pause"'; annotate soak '"3s"'; set_image op:v4
says 4 '^deployment/op: held: Soaking, AwaitingApproval: step 1 of 2 \(25 %\) has passed; to go on: handover resume op -n default$' status op --wait --timeout=1m
explained '^    a person lets it go on, then step 2 of 2, 50 %: handover resume deployment/op -n default$'
says 0 '^deployment/op: resume accepted, Soaking: op:v4, step 2 of 2' resume op
says 4 'AwaitingApproval: step 2 of 2 \(50 %\) has passed' status op --wait --timeout=1m
[ "$(pods '%3D' | wc -l)" = 2 ] || fail "the second step has $(pods '%3D' | wc -l) canary pods"
says 0 '^deployment/op: resume accepted, ' resume op
says 0 '^deployment/op: promoted: op:v4 is in service' status op --wait --timeout=1m
