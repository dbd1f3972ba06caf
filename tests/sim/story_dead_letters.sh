# A key that Handover has given up is listed with its reason, over a change of leaders; it is retried and dropped by command, once, by the leader that is
# there or by the next one.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
sim
ask() { "$HANDOVER" "$@" --server="$server" --lease-namespace=default; }
says() { # EXIT-CODE PATTERN COMMAND...
  local rc=0 want=$1 pattern=$2; shift 2
  ask "$@" >"$dir/said" 2>&1 || rc=$?
  [ $rc = "$want" ] && grep -qE "$pattern" "$dir/said" || fail "$* ended with $rc and said: $(cat "$dir/said")"
}
says 1 'not found' deadletter list
handover a; until_true 10 "a leads" leads a
lists() { ask deadletter list | has -E "$1"; }
until_true 10 "none" lists '^no dead letters$'
says 1 '"default/ghost" is no dead letter' deadletter retry default/ghost
fault "{\"match\":{$ours,\"method\":\"GET\",\"path\":\"*/deployments/ghost\"},\"count\":-1,\"status\":403}"
orphan
until_true 20 "it is given up" lists '^rollout +[0-9]+s +[0-9]+ +default/ghost$'
ask deadletter list | has -i forbidden || fail "without its reason: $(ask deadletter list)"
ask deadletter list -o json | jq -e '.version == 1 and .deadLetters[0].key == "default/ghost" and .deadLetters[0].controller == "rollout" and .ordersPending == false' >/dev/null || fail "$(ask deadletter list -o json)"
says 0 '^1 dead letter taken up again$' deadletter retry default/ghost --as=alice
until_true 10 "the leader says who" log_says a '"DeadLetterRetried".*"by":"alice"'
until_true 20 "it fails again" lists 'default/ghost$'
says 0 '^1 dead letter taken up again$' deadletter retry --all --as=bob
until_true 10 "all of them" log_says a '"DeadLetterRetried".*"by":"bob"'
until_true 20 "and again" lists 'default/ghost$'
handover b; until_true 10 "b is ready" log_says b "caches are warm"
kill -TERM "$pid_a"; until_true 20 "b leads" leads b
until_true 10 "the successor has it" lists 'default/ghost$'
says 0 '^1 dead letter dropped$' deadletter drop rollout/default/ghost
until_true 10 "none" lists '^no dead letters$'
log_says b '"DeadLetterDropped"' || fail "the drop is not in the log"
for _ in 1 2 3; do api PATCH /api/v1/namespaces/default/configmaps/ghost-handover '{"data":{"x":"'"$RANDOM"'"}}' application/merge-patch+json >/dev/null; done
until_true 20 "given up again" lists 'default/ghost$'
kill -TERM "$pid_b"; until_true 20 "nobody leads" leads ''
says 1 'no leader has done it within 500ms; nobody leads. To take it back: kubectl annotate lease/handover -n default handover.dev/orders-$' deadletter drop --all --timeout=500ms
lists 'default/ghost$' || fail "it is gone although nobody leads"
handover c; until_true 20 "c leads" leads c
until_true 20 "the next leader does it" log_says c '"DeadLetterDropped"'
orders_gone() { api GET /apis/coordination.k8s.io/v1/namespaces/default/leases/handover | jq -e '.metadata.annotations["handover.dev/orders"] == null' >/dev/null; }
until_true 10 "the orders are gone" orders_gone
api PATCH /apis/coordination.k8s.io/v1/namespaces/default/leases/handover '{"metadata":{"annotations":{"handover.dev/orders":"[{\"do\":\"dance\"}]"}}}' application/merge-patch+json >/dev/null
until_true 10 "what is not understood is reported" log_says c OrderNotUnderstood
until_true 10 "and taken away" orders_gone
leads c || fail "c does not lead any more"
