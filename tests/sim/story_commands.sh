# What a person asks and says: explain has the evidence, each signal, what comes next and when, the canary's pods and what differs.
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8
rate='"reconcilesPerSecond":40'
sim --script "{\"image\":\"*:v?\",$rate}" --script "{\"image\":\"*:writes\",\"writesPerReconcile\":1,$rate}"
ask() { "$HANDOVER" "$@" --server="$server"; }
explains() { ask explain deployment/op >"$dir/explained" && grep -qE "$1" "$dir/explained"; }
explained() { until_true 30 "explain says $1" explains "$1"; }
handover a; target op:v1 canary-percent=50 soak=20s max-error-rate=5% quiet=1s; adopted
explained '^default/op: Stable since '
explains '^    nothing, until spec.template changes' || fail "nothing is to happen next"
set_image op:writes
explained '^Held: SignalRaised since [0-9:]+Z '
for line in '^default/op: Soaking since [0-9:]+Z \([0-9a-z]+ ago\)$' '^    op:v1 -> op:writes, template ' \
  '^    step 1 of 1: wanted 50 %, got 50 % of 4 pods; watched for [0-9]+' '^    canary 0 errors of [0-9]+ \(0.0 %' '^    odds that it is bad: 1 to [0-9]+, rolled back at 100 to 1' \
  '^    writes: speaks against it, holds and asks: [0-9]+ writes in [0-9]+ reconciles; stable [0-9]+ in [0-9]+$' '^    webhooks: no metrics' \
  '^    [0-9:]+Z \(in [0-9a-z]+\): at the deadline, without a verdict: held, and a person decides \(on-inconclusive: pause\)$' \
  '^    op-canary-[a-z0-9]+-[a-z0-9]+ on .*: ready, 0 restarts$' '^    spec.containers\[operator\].image: "op:v1" -> "op:writes"$'; do
  grep -qE "$line" "$dir/explained" || { cat "$dir/explained"; fail "explain does not say $line"; }
done
ask explain op -o json >"$dir/json"
jq -e '.version == 1 and .phase == "Soaking" and .hold == "SignalRaised" and (.rollout.signals[] | select(.name == "writes") | .state == "speaks" and .does == "hold")
  and (.canaryPods.pods | length == 2) and .templateDiff.changes[0].to == "\"op:writes\"" and (.rollout.evidence.cleanToPass | type == "number")' "$dir/json" >/dev/null ||
  { jq . "$dir/json"; fail "the JSON is not what the documentation says"; }
ask explain none 2>"$dir/none" && fail "a target that does not exist is explained"
[ "$(cat "$dir/none")" = "handover: there is no deployment/none in namespace default" ] || fail "it says $(cat "$dir/none")"
