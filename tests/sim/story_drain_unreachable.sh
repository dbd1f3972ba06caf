# The API server goes away while the leader drains with a reconcile in flight: it goes on until its lease is no longer certain,
# changes nothing after that, and exits saying so. Nothing of the work is lost: the successor finds the early checkpoint.
. "$(dirname "$0")/lib.sh"
sim
slow_read; orphan
handover a --log-level=debug; until_true 10 "a leads" leads a; until_true 10 "a reconcile is in flight" log_says a 'reconcile started'
kill -TERM "$pid"
checkpointed() { checkpoint | has default/ghost; }
until_true 5 "the early checkpoint has the key" checkpointed
fault "{\"match\":{$ours},\"count\":-1,\"silent\":true}"
rc=0; wait "$pid" || rc=$?
[ $rc = 6 ] || fail "exit code $rc, expected 6: the lease could not be renewed"
leads a || fail "released without proof that it is still its own"
fault '{"clear":true}'
handover b --log-level=debug; until_true 15 "b leads" leads b
log_says b '"restored_keys":1' || fail "the key was not restored"
until_true 10 "the key is reconciled" log_says b 'reconcile finished.*default/ghost'
