# Kinds of bad versions that other stories do not have, and healthy ones that look like them, all at once: one that stops working, one
# that leaks until it is OOM killed, one that breaks late, one that starts in the middle of an outage; an outage and bad objects that
# are no version's fault. Each gets its verdict, for a reason that names what was seen.
. "$(dirname "$0")/lib.sh"
rate='"reconcilesPerSecond":40'
sim --script "{\"image\":\"*\",$rate}" --script "{\"image\":\"late:v2\",$rate,\"errorRate\":0.6,\"errorRateAfterMs\":5000}" \
  --script "{\"image\":\"leak:v2\",$rate,\"leakBytesPerSecond\":50000000,\"crashAfterMs\":4000,\"exitCode\":137,\"reason\":\"OOMKilled\"}" \
  --script "{\"image\":\"objects:*\",$rate,\"errorRate\":0.02}" --script "{\"image\":\"outage*\",$rate}"
handover a
names=(idle leak late outage outage-good objects)
deployment() { # NAME : of two pods, watched for ten seconds; what is held until its deadline has a near one
  local by=6m soak=10s; [ "$1" != idle ] || { by=40s; soak=20s; }
  api POST "$deploy" "$(jq -n --arg n "$1" --arg by $by --arg soak $soak '{metadata: {name: $n, annotations: ({"canary-percent": "50", soak: $soak, "min-soak": $soak, "max-error-rate": "5%", quiet: "1s", deadline: $by} |
    with_entries(.key |= "handover.dev/" + .))}, spec: {replicas: 2, selector: {matchLabels: {app: $n}},
    template: {metadata: {labels: {app: $n}}, spec: {containers: [{name: "operator", image: ($n + ":v1")}]}}}}')" >/dev/null
}
state_of() { api GET "/api/v1/namespaces/default/configmaps/$1-handover" | jq -r .data.state | jq -r "$2"; } # NAME JQ
phase_of() { [ "$(state_of "$1" .phase)" = "$2" ]; }
held_for() { [ "$(state_of "$1" .hold)" = "$2" ]; }
update() { api PATCH "$deploy/$1" "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"operator\",\"image\":\"$1:v2\"}]}}}}" application/strategic-merge-patch+json >/dev/null; }
for n in "${names[@]}"; do deployment "$n"; done
for n in "${names[@]}"; do until_true 30 "$n is adopted" phase_of "$n" Stable; done
for n in leak late objects; do update "$n"; done
for n in leak late objects; do until_true 30 "$n is watched" phase_of "$n" Soaking; done
# Each second of the outage takes a healthy version twenty to be cleared of: at 90 % for so long it stays below 5 % of all.
script "{\"image\":\"outage*\",$rate,\"errorRate\":0.9}"
for n in outage outage-good; do update "$n"; done
for n in outage outage-good; do until_true 20 "$n is held for the outage" held_for "$n" SharedOutage; done
for_a_while 2 "an outage is no verdict" eval 'phase_of outage Soaking && phase_of outage-good Soaking'
script "{\"image\":\"outage*\",$rate}"; script "{\"image\":\"outage:v2\",$rate,\"errorRate\":0.5}"
# It stops in the middle of its soak.
update idle; worked() { [ "$(state_of idle '[.evidence.pods[]? | select(.canary) | .total] | add // 0')" -ge 400 ]; }
until_true 30 "idle is watched and works" worked
script "{\"image\":\"idle:v2\",\"reconcilesPerSecond\":0}"

ended_for() { # NAME RESULT REASON : in the history
  until_true 240 "$1 has ended, $2" eval "state_of $1 '.history[0].result' | has -x '$2'"
  local reason; reason=$(state_of "$1" '.history[0].reason')
  # shellcheck disable=SC2053
  [[ $reason == $3 ]] || fail "$1: the reason is: $reason"
}
ended_for idle failed 'the canary has stopped reconciling while stable reconciles*until the deadline'
ended_for leak failed 'oom: * of the canary * OOM killed*'
ended_for late failed '* of * reconciles failed (*), tolerated are 5 %; stable 0 % of *'
ended_for outage failed '* of * reconciles failed (*'
ended_for outage-good promoted '* reconciles failed; at most *'
ended_for objects promoted '* reconciles failed; at most *'
