# The host is about to go: its logind waits until the lease is released, and no longer.
. "$(dirname "$0")/lib.sh"
logind 4000000
seen() { grep -c "^$1" "$dir/logind.log" || true; }
sim --script '{"image":"*","reconcilesPerSecond":40}'
handover a; until_true 10 "a leads" leads a
until_true 10 "both inhibitors are held" eval '[ "$(seen "asked shutdown delay handover")" = 1 ] && [ "$(seen "asked sleep delay handover")" = 1 ]'
slow() { fault '{"match":{'"$ours"',"method":"'"$1"'","path":"*/'"$2"'"},"count":-1,"latencyMs":'"$3"'}'; }
target op:v1; adopted; slow PUT leases/handover 400 # the release takes its time
echo prepare shutdown yes >&9
until_true 10 "logind is let go" grep -q "^closed shutdown" "$dir/logind.log"
[ -z "$(leader)" ] || fail "logind was let go before the lease was: $(leader) holds it"
rc=0; wait "$pid_a" || rc=$?; [ $rc = 0 ] || fail "exit code $rc"
log_says a "the host is shutting down" || fail "no reason in the log"
fault '{"clear":true}'; echo prepare shutdown no >&9

# A reconcile that would take longer than the host waits is cut, and the lease is free in time.
slow_read; orphan
handover long --log-level=debug; until_true 10 "a reconcile is in flight" log_says long "reconcile started"
until_true 10 "it waits" eval '[ "$(seen "asked shutdown")" = 2 ]'
started=$(now_ms); echo prepare shutdown yes >&9
rc=0; wait "$pid_long" || rc=$?; took=$(($(now_ms) - started))
[ $rc = 3 ] || fail "exit code $rc"
[ $took -lt 4000 ] || fail "the host has to wait for $took ms"
[ -z "$(leader)" ] || fail "$(leader) holds the lease"
fault '{"clear":true}'; echo prepare shutdown no >&9

# The same in the middle of a drain: it gets less time, but nobody has asked twice.
slow_read
handover twice --log-level=debug; until_true 10 "a reconcile is in flight" log_says twice "reconcile started"
until_true 10 "it waits" eval '[ "$(seen "asked shutdown")" = 3 ]'
kill -TERM "$pid_twice"; until_true 5 "it drains" log_says twice '"phase":"checkpoint-early"'
started=$(now_ms); echo prepare shutdown yes >&9
rc=0; wait "$pid_twice" || rc=$?; took=$(($(now_ms) - started))
[ $rc = 3 ] || fail "exit code $rc"
[ $took -lt 4000 ] || fail "the host has to wait for $took ms"
! log_says twice SecondSignal || fail "taken for a second signal"
fault '{"clear":true}'; echo prepare shutdown no >&9

# Sleep: who leads hands over, who stands by does not stop for it.
set_image op:v2; handover b; until_true 10 "b leads" leads b; handover c
KUBERNETES_SERVICE_HOST=10.0.0.1 handover pod # in a pod the host is not ours to hold up; the counts show that it does not ask
until_true 10 "it is ready" log_says pod "caches are warm"; until_true 10 "c is ready" log_says c "caches are warm"
until_true 10 "both wait" eval '[ "$(seen "asked sleep")" = 5 ]'
kill "$pid_pod"; wait "$pid_pod"
echo prepare sleep yes >&9
rc=0; wait "$pid_b" || rc=$?; [ $rc = 0 ] || fail "exit code $rc"
log_says b "the host is about to sleep" || fail "no reason in the log"
until_true 5 "logind is let go" eval '[ "$(seen "closed sleep")" = 5 ]'
until_true 2 "c leads" leads c
echo prepare sleep no >&9
until_true 5 "c waits for the next time" eval '[ "$(seen "asked sleep")" = 6 ]'
promoted op:v2

# A bus that goes away changes nothing.
kill "$pid_bus"
set_image op:v3; promoted op:v3
