# `handover status`: an overloaded server is asked three times, a failure ends it with 1, and -w survives a server that goes and comes.
. "$(dirname "$0")/lib.sh"
status() { local rc=0; "$HANDOVER" status --server="$server" --lease-namespace=default "$@" >"$dir/status.out" 2>"$dir/status.err" || rc=$?; return $rc; }
lists() { api GET /sim/requests | jq ".counts[\"GET /apis/apps/v1/deployments\"] // 0"; }
unavailable='{"match":{"path":"/apis/apps/v1/deployments","userAgent":"handover*"},"status":503'

sim; target op:v1
status || fail "it fails: $(cat "$dir/status.err")"
grep -qE '^default +op +Waiting +' "$dir/status.out" || fail "no row for the target: $(cat "$dir/status.out")"
fault "$unavailable,\"count\":2}"; api DELETE /sim/requests >/dev/null
status || fail "503 twice ends it: $(cat "$dir/status.err")"
[ ! -s "$dir/status.err" ] && [ "$(lists)" = 3 ] || fail "$(lists) lists; $(cat "$dir/status.err")"
fault "$unavailable,\"count\":-1}"; api DELETE /sim/requests >/dev/null
! status || fail "503 is no failure"
grep -q 503 "$dir/status.err" && [ ! -s "$dir/status.out" ] && [ "$(lists)" = 3 ] || fail "$(lists) lists; $(cat "$dir/status.err" "$dir/status.out")"
fault '{"clear":true}'

kill "${pids[-1]}"; wait "${pids[-1]}" || fail "the server ended badly"
"$HANDOVER" status -w --server="$server" --lease-namespace=default >"$dir/watch.log" 2>&1 & watch=$!; pids+=("$watch")
until_true 10 "-w reports the refused connection" grep -q 'Connection refused' "$dir/watch.log"
"$HANDOVER" sim --listen "${server#http://}" >"$dir/again.log" 2>&1 & pids+=($!)
until_true 10 "-w goes on when the server is back" grep -q '^leader: none' "$dir/watch.log"
[ "$(grep -c refused "$dir/watch.log")" = 1 ] || fail "the failure is repeated: $(cat "$dir/watch.log")"
kill -INT "$watch"; wait "$watch" || fail "-w ends with $? when interrupted"
