# A page that is no metrics page, an endpoint that fails, none at all: no verdict, it holds and says why; good metrics end it.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*:v?","reconcilesPerSecond":40}' --script '{"image":"*:garbage","metrics":"garbage"}' --script '{"image":"*:http500","metrics":"http500"}'
handover a; target op:v1; adopted; before=$(stable_pods)
metrics() { curl -sS "http://127.0.0.1:$(jq -e -r 'select(.event == "Starting") | .admin_port' "$dir/a.log")/metrics"; }
held() { metrics | grep '^handover_target_held_since_seconds{namespace="default",name="op"'; }
for kind in garbage http500; do
  set_image op:$kind; until_true 15 "a canary of $kind" some_canary
  holds() { [ "$(state .hold)" = NoData ] && state .message | has -i metrics; }
  until_true 30 "$kind: it holds and says why" holds
  for_a_while 4 "$kind: it goes on holding" holds
  since=$(held) || fail "no metric says that it is held"
  [[ $since == *'reason="NoData"} '* ]] && awk -v now="$(date +%s)" '{exit !(now - $2 > 3 && now - $2 < 300)}' <<<"$since" || fail "held since: $since"
  [ "$(stable_pods)" = "$before" ] || fail "stable pods changed"
done
set_image op:v2; promoted op:v2
! held || fail "the metric that it is held has not gone"
metrics | has 'handover_target_phase{namespace="default",name="op",phase="Stable"} 1' || fail "no metric says its phase"
! command -v promtool >/dev/null || metrics | promtool check metrics || fail "promtool check metrics"
