# What happened to a target is in Kubernetes Events, each once, with the canary that it is about; the next leader counts on the same ones.
. "$(dirname "$0")/lib.sh"
new=/apis/events.k8s.io/v1/namespaces/default/events old=/api/v1/namespaces/default/events
sim --script '{"image":"*:bad","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}'
handover a; until_true 10 "a leads" leads a; handover b
target op:v1 canary-percent=50 soak=30s max-error-rate=5% quiet=1s; adopted
seen() { api GET "$new" | jq -e --arg r "$1" "[.items[] | select(.reason == \$r and .reportingController == \"handover\")] | ${2:-length > 0}" >/dev/null; } # REASON [JQ]
cli() { "$HANDOVER" "$@" --server="$server" -n default >"$dir/cli.log" 2>&1 || fail "handover $*: $(cat "$dir/cli.log")"; }
set_image op:v2; wait_phase Soaking 20
cli pause deployment/op; until_true 10 "Paused" seen Paused; cli resume deployment/op; until_true 10 "Resumed" seen Resumed
kill -9 "$pid_a"; until_true 15 "b leads" leads b
cli pause deployment/op; until_true 10 "the same Event is counted up by the next leader" \
  seen Paused 'length == 1 and .[0].series.count == 2 and .[0].reportingInstance == "a"'
cli resume deployment/op; cli promote deployment/op; promoted op:v2
set_image op:bad; wait_phase RolledBack 40; until_true 10 "RolledBack" seen RolledBack

api GET "$new" >"$dir/new"; api GET "$old" >"$dir/old"
jq -e '[.items[] | select(.reportingController == "handover")] | length > 8 and all(.action and .eventTime and .reportingInstance and (.regarding | .kind == "Deployment" and .name == "op"))
  and (map([.reason, .note]) | length == (unique | length))' "$dir/new" >/dev/null || fail "the Events: $(jq -c '.items[] | select(.reportingController == "handover")' "$dir/new")"
canary=$(state .canary)
jq -e --arg c "$canary" 'any(.items[]; .reason == "RolledBack" and (.related | .kind == "ReplicaSet" and .name == $c and .uid))' "$dir/new" >/dev/null || fail "RolledBack has not $canary as its related object"
# core/v1 has the same objects
same() { jq -cS "[.items[] | [.metadata.uid, .reason, $1, .series]] | sort" "$2"; } # NOTE FILE
[ "$(same .note "$dir/new")" = "$(same .message "$dir/old")" ] || fail "the two versions differ"
jq -e 'any(.items[]; .reason == "Paused" and .reportingComponent == "handover" and .involvedObject.name == "op" and .series.count >= 2)' "$dir/old" >/dev/null || fail "core/v1: $(jq -c '.items[] | select(.reason == "Paused")' "$dir/old")"
