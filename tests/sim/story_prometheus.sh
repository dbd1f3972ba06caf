# A Prometheus server scrapes the pods and Handover asks it: a good version is promoted, a bad one rolled back. A server that goes away is no verdict.
. "$(dirname "$0")/lib.sh"; . "$(dirname "$0")/prometheus.sh"
sim --script '{"image":"*:bad*","errorRate":0.5,"errorRateAfterMs":12000,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}'
prometheus_serves
handover a --prometheus="$url/"
target op:v1 canary-percent=50 soak=6s max-error-rate=5% quiet=0s metrics=prometheus; adopted
until_true 30 "Prometheus has scraped stable" asked 'count by (pod) (controller_runtime_reconcile_total{namespace="default"})' 2

set_image op:v2; promoted op:v2
# Bad from its twelfth second on: Prometheus discovers pods up to five seconds late, and what it never saw is in nobody's replay.
annotate soak '"30s"'
began=$(date -u +%FT%TZ); before=$(stable_pods); set_image op:bad1; until_true 15 "a canary of bad1" some_canary
bad=$(api GET '/api/v1/namespaces/default/pods?labelSelector=handover.dev%2Ftrack%3Dcanary' | jq -r '.items[0].metadata.generateName'); bad=${bad%-}
wait_phase RolledBack 60; until_true 10 "the canary is gone" no_canary
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"

# The same from the server's history, as somebody does who wants to know before Handover decides anything. The scrape that decided may be
# younger than the last whole second: the steps go on to the one after it.
replayed() { "$HANDOVER" judge --from-prometheus="$url/" --query='controller_runtime_reconcile_total{namespace="default"}' --canary="$bad" \
  --start="$began" --end="$(date -u -d '2 seconds' +%FT%TZ)" --step=1s --soak=30 "$@" 2>&1; }
text=$(replayed); tail -n 1 <<<"$text" | has ' fail .* reconciles failed' || fail "the replay says: $text"
[ "$(replayed -o json | tail -n 1 | jq -r .verdict)" = fail ] || fail "as JSON: $(replayed -o json)"
text=$(replayed --query='foo{' || true); has 'bad_data: .*parse error' <<<"$text" || fail "a query that is none: $text"

# A server that is not there is no verdict, and what it has missed is not held against anybody.
annotate soak '"6s"'
set_image op:v3; until_true 15 "a canary of v3" some_canary
kill "$pid_prometheus"; wait "$pid_prometheus" || true
holds() { [ "$(state .hold)" = NoData ] && state .message | has 'from Prometheus'; }
until_true 30 "it holds and says why" holds
prometheus_up "$port"; promoted op:v3 90
