# A page that is no metrics page, an endpoint that fails, none at all: no verdict, it holds and says why; good metrics end it.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*:v?","reconcilesPerSecond":40}' --script '{"image":"*:garbage","metrics":"garbage"}' --script '{"image":"*:http500","metrics":"http500"}'
handover a; target op:v1; adopted; before=$(stable_pods)
for kind in garbage http500; do
  set_image op:$kind; until_true 15 "a canary of $kind" some_canary
  holds() { [ "$(state .hold)" = NoData ] && state .message | has -i metrics; }
  until_true 30 "$kind: it holds and says why" holds
  for_a_while 4 "$kind: it goes on holding" holds
  [ "$(stable_pods)" = "$before" ] || fail "stable pods changed"
done
set_image op:v2; promoted op:v2
