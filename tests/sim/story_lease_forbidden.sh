# The Lease cannot be written (a missing verb): no candidate is ready, alive or standing by, and each says so; a rolling update
# would stop there. Once the verb is granted they lead and stand by within moments.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
admin() { jq -e -r 'select(.event == "Starting") | .admin_port' "$dir/$1.log"; }
probe() { curl -sS -o "$dir/page" -w '%{http_code}' "http://127.0.0.1:$(admin "$1")$2"; } # NAME PATH
answers() { [ "$(probe "$1" "$2")" = "$3" ]; }
fault '{"match":{'"$ours"',"method":"P*","path":"*/leases*"},"count":-1,"status":403}'
handover a; until_true 10 "a listens" log_says a Starting
until_true 10 "a says why" log_says a '"event":"LeaseWriteFailed".*"request":"create".*403'
until_true 10 "a is not ready" answers a '/readyz?verbose' 500
grep -q 'the Lease default/handover cannot be written.*403' "$dir/page" || fail "no reason: $(cat "$dir/page")"
answers a /healthz 200 || fail "not alive"
answers a /metrics 200; grep -q '^handover_lease_writable 0' "$dir/page" || fail "the metric does not tell"
for_a_while 2 "a is not ready all the while" answers a /readyz 500
[ "$(grep -c LeaseWriteFailed "$dir/a.log")" = 1 ] || fail "said more than once in a minute"
[ "$(grep -c LeaseContested "$dir/a.log")" = 1 ] || fail "each attempt is logged"
fault '{"clear":true}'
until_true 5 "a leads" leads a; until_true 5 "a is ready" answers a /readyz 200

# a standby that may not write, beside a leader that may: only its dry run tells
fault '{"match":{'"$ours"',"method":"PUT","query":"dryRun=All"},"count":-1,"status":403}'
handover b; until_true 10 "b says why" log_says b '"request":"dry-run".*403'
answers b /readyz 500 || fail "a standby that can never lead is ready"
answers a /readyz 200 || fail "the leader is not ready"
fault '{"clear":true}'
until_true 15 "b is ready" answers b /readyz 200
leads a || fail "the dry run has changed who leads"
kill -TERM "$pid_a"; until_true 5 "b leads" leads b
