# Queries of a target's own: without the option for them it holds and says so, with it a good version is promoted and a bad one rolled back;
# then the same with queries of a whole track, and a condition that is waited for (check-query).
. "$(dirname "$0")/lib.sh"; . "$(dirname "$0")/prometheus.sh"
sim --script '{"image":"*:bad*","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}'
prometheus_serves
q='sum(controller_runtime_reconcile_total{namespace="$namespace",pod="$pod"'
handover a --prometheus="$url"
target op:v1 canary-percent=50 soak=6s max-error-rate=5% quiet=0s metrics=prometheus errors="$q,result=\"error\"})" total="$q})"
held() { api GET /api/v1/namespaces/default/events | has 'prometheus-own-queries=on allows them'; }
until_true 20 "it says which option is missing" held
kill "$pid"; wait "$pid" || true
handover b --prometheus="$url" --prometheus-own-queries=on --scrape-interval=2s; adopted
set_image op:v2; promoted op:v2 90
before=$(stable_pods); set_image op:bad1; wait_phase RolledBack 90
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"

set_image op:v2; wait_phase Stable 30
q='sum(increase(controller_runtime_reconcile_total{namespace="$namespace",pod=~"$track"'
api PATCH "$deploy/op" "$(jq -n --arg t "$q}[\$range]))" --arg e "$q,result=\"error\"}[\$range]))" '{metadata: {annotations: {"handover.dev/total": $t, "handover.dev/errors": $e}}}')" application/merge-patch+json >/dev/null
set_image op:v3; promoted op:v3 90
set_image op:bad2; wait_phase RolledBack 90

# A condition of a target's own: what is not there waits, what holds lets it go on.
set_image op:v3; wait_phase Stable 30
condition() { jq -n --arg q "sum(controller_runtime_reconcile_total{namespace=\"\$namespace\",pod=~\"\$track\"$1" '$q'; }
annotate check-query "$(condition ',nobody="has"}) >= 0')"
set_image op:v4; until_true 90 "it waits for its condition" eval '[ "$(state .hold)" = AwaitingCheck ]'
state .message | has '^check-query does not hold$' || fail "the message is $(state .message)"
annotate check-query "$(condition '}) > 0')"; promoted op:v4 90
