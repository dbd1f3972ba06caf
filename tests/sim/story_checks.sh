# A check of a target's own is asked about each step that has passed, over https with a CA of its own: it waits until that says pass, also by the successor of a leader
# that was killed meanwhile; a redirect, an error and silence are no verdict; fail rolls back with its words. Other hosts are refused, and nothing is sent to them.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
for tool in python3 openssl; do command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }; done
sim --script '{"image":"*:v?","reconcilesPerSecond":40}'
mode() { echo "$1" >"$dir/check.mode"; }
mode huge; : >"$dir/check.events"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/key" -out "$dir/cert" -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
python3 "$top/tests/sim/sink.py" "$dir/check.port" "$dir/check.events" "$dir/check.mode" "$dir/cert" "$dir/key" 2>"$dir/check.txt" & pids+=($!)
until_true 20 "the check listens" test -s "$dir/check.port"
port=$(cat "$dir/check.port")
asked() { jq -c "select(.path == \"/go?a=b\") | .body | fromjson | $1" "$dir/check.events"; } # JQ
was_asked() { [ "$(asked "select(.canary.image == \"$1\") | .step" | wc -l)" -ge "$2" ]; }
run() { handover "$1" --check-hosts="example.com,localhost:$port" --check-ca="$dir/cert"; }
explains() { "$HANDOVER" explain op --server="$server" >"$dir/explained" && grep -qE "$1" "$dir/explained"; }
held() { [ "$(state .hold)" = "$1" ]; }
run a; until_true 10 "a leads" leads a
target op:v1 canary-percent=25,50 soak=3s max-error-rate=5% quiet=1s check="https://LOCALHOST:$port/go?a=b"; adopted

set_image op:v2; until_true 40 "a gigabyte is no answer" held CheckUnanswered
state .message | has ' 4096 bytes' || fail "the message is $(state .message)"
mode '{"verdict":"wait","message":"not before noon"}'; until_true 40 "it waits for its check" held AwaitingCheck
until_true 20 "explain has what the check said" explains '^    check: wait at .*Z \([0-9a-z]+ ago\), answer [0-9]+: not before noon$'
until_true 20 "explain has when it is asked again" explains 'check is asked again; then step 2 of 2, 50 %$'
until_true 20 "so has status" eval '"$HANDOVER" status op --server="$server" 2>/dev/null | has "AwaitingCheck: check says wait: not before noon; asked again in "'
until_true 40 "it is asked again" was_asked op:v2 3
[ "$(pods %3D | wc -l)" = 1 ] || fail "the second step has begun"
asked . | head -1 >"$dir/one"
jq -e '.version == 1 and .kind == "Deployment" and .namespace == "default" and .name == "op" and .phase == "Soaking" and .step == 1 and .steps == 2 and .percent == 25
  and (.canary | .image == "op:v2" and (.template | length > 0) and .replicaSet == "op-canary-" + .template) and (.stable.template | length > 0)
  and .evidence.canary.total >= 10 and .evidence.canary.errors == 0 and (.passedAt | length > 0)' "$dir/one" >/dev/null || fail "it is asked with $(cat "$dir/one")"
[ "$(jq -r 'select(.authorization != null)' "$dir/check.events" | wc -l)" = 0 ] || fail "credentials were sent"

# The leader is killed; no answer at all is no verdict.
run b; until_true 10 "b is ready" log_says b "caches are warm"
kill -9 "$pid_a"; until_true 20 "b leads" leads b
mode 302; until_true 60 "a redirect is no answer" held CheckUnanswered
state .message | has 'it answers 302, and redirects are not followed' || fail "the message is $(state .message)"
[ "$(jq -r 'select(.path == "/elsewhere")' "$dir/check.events" | wc -l)" = 0 ] || fail "a redirect was followed"
mode '{"verdict":"pass","message":"go"}'; promoted op:v2 120
[ "$(asked 'select(.canary.image == "op:v2") | .step' | sort -u | tr '\n' ' ')" = "1 2 " ] || fail "asked about steps $(asked .step | sort -u)"
until_true 20 "an Event says so" eval 'events | has "^CheckPassed step 1 of 2: check says pass: go$"'

mode '{"verdict":"fail","message":"three tickets\u001b[31m"}'; before=$(stable_pods)
set_image op:v3; wait_phase RolledBack
state .message | has -F 'op:v3 was rolled back: check says fail: three tickets\x1b[31m' || fail "the message is $(state .message)"
ended failed || fail "it ended as $(state '.history[0].result')"
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"

# Hosts that nobody has allowed, however they are spelled: held, and nothing is sent.
sent=$(wc -l <"$dir/check.events")
for url in "https://localhost:$port@127.0.0.1:$port/go?a=b" "https://127.0.0.1:$port/go?a=b" "http://localhost:$port/go?a=b" "https://localhost.:$port/go?a=b" "https://x.example.com/"; do
  annotate check "\"$url\""; until_true 20 "refused: $url" held InvalidConfig
  state .message | has 'handover.dev/check: ".*" is not allowed: ' || fail "the message is $(state .message)"
  annotate check; until_true 20 "it is mended" eval '! held InvalidConfig'
done
[ "$(wc -l <"$dir/check.events")" = "$sent" ] || fail "it was asked all the same"
