# A check of the target's own, over the cluster's network: it waits as long as that says wait, and goes into service when it says pass.
# tags: oldest
# shellcheck shell=bash
[ -n "${OWN_CLUSTER:-}" ] || skip "this cluster is not ours: Handover there does not allow a check's host"
for tool in python3 socat; do command -v $tool >/dev/null || skip "$tool is not installed"; done
d=$(mktemp -d); pids=()
trap 'for p in "${pids[@]}"; do kill -- "-$p" 2>/dev/null || true; done; rm -rf "$d"' EXIT
echo '{"verdict":"wait","message":"not before noon"}' >"$d/mode"
apart() { setsid nsenter --net="/run/netns/$CLUSTER_NS" "$@" 2>"$d/$1.txt" & pids+=($!); } # each a process group of its own
apart python3 "$TOP/tests/sim/sink.py" "$d/port" "$d/asked" "$d/mode"
until_true 20 "the check listens" test -s "$d/port"
apart socat "TCP-LISTEN:${CHECK_HOST##*:},bind=${CHECK_HOST%:*},reuseaddr,fork" "TCP:127.0.0.1:$(cat "$d/port")" # the node's address, for pods

apply op v1 "${quick[@]}" "check=http://$CHECK_HOST/go"; adopted op; before=$(pods_of op)
set_image op v2
held() { [ "$(state op .hold)" = AwaitingCheck ]; }
until_true 60 "it waits for its check" held
asked_again() { [ "$(jq -c 'select(.path == "/go") | .body | fromjson | select(.asked > 0)' "$d/asked" | wc -l)" -ge 1 ]; }
until_true 20 "it is asked again" asked_again
same_pods op "$before"
jq -e --arg ns "$NS" '.body | fromjson | .namespace == $ns and .name == "op" and .step == 1 and (.canary.image | endswith(":v2")) and .evidence.canary.total >= 10' "$d/asked" >/dev/null ||
  fail "it is asked with $(cat "$d/asked")"
echo '{"verdict":"pass","message":"go"}' >"$d/mode"
until_true 90 "every pod runs v2" image_is op v2
wait_phase op Stable 30
until_true 10 "an Event says so" event_seen '^CheckPassed .*check says pass: go$'
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op '.history[0]')"
