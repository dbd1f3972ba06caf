# Signals as docs/reference/drain.md has them, each with its exit code: while starting, standing by, leading idle, and once,
# twice, three times with a reconcile in flight.
. "$(dirname "$0")/lib.sh"
code() { # PID : of a process that ends within 5 s
  local p=$1 rc=0 end=$(($(now_ms) + 5000))
  while kill -0 "$p" 2>/dev/null; do [ "$(now_ms)" -lt "$end" ] || { echo "still running"; return; }; sleep 0.05; done
  wait "$p" || rc=$?; echo $rc
}
ends() { # PID CODE WHAT
  code "$1" >"$dir/code" # not $(...): only its own shell may wait for it
  [ "$(cat "$dir/code")" = "$2" ] || fail "$3: exit code $(cat "$dir/code"), expected $2"
}
free() { [ "$(leader)" = "" ]; }
inflight() { log_says "$1" 'reconcile started'; }
sim
# before it has even read its configuration: the first process of a container would not hear a signal that it does not handle
mkfifo "$dir/kubeconfig"
handover early --kubeconfig="$dir/kubeconfig"
catches() { (( 0x$(awk '/^SigCgt/ {print $2}' "/proc/$pid/status") & 0x4000 )); }
until_true 10 "it handles SIGTERM" catches
kill -TERM "$pid"
echo '{"apiVersion":"v1","kind":"Config","clusters":[{"name":"c","cluster":{"server":"'"$server"'"}}],"contexts":[{"name":"x","context":{"cluster":"c"}}],"current-context":"x"}' >"$dir/kubeconfig"
ends "$pid" 0 "SIGTERM before the configuration is read"

# while starting: the lists are not answered, nothing is held yet
fault "{\"match\":{$ours,\"path\":\"*/deployments\"},\"count\":-1,\"latencyMs\":30000}"
handover starting; until_true 10 "it has started" log_says starting '"msg":"starting"'
kill -TERM "$pid"; ends "$pid" 0 "SIGTERM while starting"
fault '{"clear":true}'

# a leader without work, a standby; both signals
handover a; until_true 10 "a leads" leads a; pid_a=$pid; handover b; until_true 10 "b is warm" log_says b "caches are warm"
kill -INT "$pid"; ends "$pid" 0 "SIGINT while standing by"
leads a || fail "a standby's end changed who leads"
kill -INT "$pid_a"; ends "$pid_a" 0 "SIGINT of an idle leader"
free || fail "the lease was not released"

# a reconcile in flight that does not end by itself: the first signal lets it run, the second cancels it
slow_read; orphan
handover c --log-level=debug; until_true 10 "c leads" leads c; until_true 10 "a reconcile is in flight" inflight c
kill -TERM "$pid"; until_true 5 "it drains" log_says c '"phase":"checkpoint-early"'
for_a_while 1 "the first signal lets the work run, and the lease is kept" leads c
kill -TERM "$pid"; ends "$pid" 3 "the second signal"
free || fail "the lease was not released after the work was cancelled"
checkpoint >"$dir/checkpoint"; grep -q '#rollout !i .*default/ghost' "$dir/checkpoint" || fail "the interrupted key is not in it: $(cat "$dir/checkpoint")"

# the successor takes that key first; a third signal ends it as things are, without asking the server
handover d --log-level=debug; until_true 10 "d leads" leads d; until_true 10 "its reconcile is in flight" inflight d
log_says d '"restored_keys":1' || fail "the key was not restored"
fault "{\"match\":{$ours,\"method\":\"PUT\",\"path\":\"*/leases/handover\"},\"count\":-1,\"latencyMs\":60000}"
kill -TERM "$pid"; until_true 5 "it drains" log_says d DrainStarted
kill -TERM "$pid"; until_true 5 "it was asked again" log_says d SecondSignal
kill -TERM "$pid"; ends "$pid" 5 "the third signal"
leads d || fail "the lease does not name the one that could not release it"
