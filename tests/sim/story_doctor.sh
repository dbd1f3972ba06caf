# What `handover doctor` says of an installation: of one that is well, of misspelt annotations, of pages that do not answer, of a leader that is gone; the
# exit code is 1 where something fails. A misspelt annotation is reported by the Event of the adoption, too.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*:v?","reconcilesPerSecond":40}'
doctor() { # EXIT-CODE PATTERN... : it ends like that, and has such lines
  local rc=0 want=$1; shift
  "$HANDOVER" doctor --server="$server" --lease-namespace=default >"$dir/said" 2>&1 || rc=$?
  [ $rc = "$want" ] || fail "doctor ended with $rc: $(cat "$dir/said")"
  for p in "$@"; do grep -qE "$p" "$dir/said" || fail "doctor does not say $p: $(cat "$dir/said")"; done
}
doctor 1 '^ok    server: Kubernetes v1' '^FAIL  lease default/handover: it does not exist'
handover a; until_true 10 "a leads" leads a
target op:v1 canary-percent=50 soak=20s sok=1m max-error-rate=5%; adopted
hinted() { events | has '^Adopted .*handover.dev/sok is not known: is handover.dev/soak meant'; }
until_true 10 "the adoption hints at it" hinted
doctor 0 '^ok    lease default/handover: a.* leads' '^warn  annotations default/op: handover.dev/sok is not known: is handover.dev/soak meant\?$' \
  '^ok    metrics default/op: :8080/metrics of op-[a-z0-9-]+: [0-9]+ reconciles, 0 failed \(controller-runtime\)$' '^ok    policy: '
annotate sok; annotate soka '"x"'; annotate mode '"objectz"'
doctor 1 '^FAIL  annotations default/op: handover.dev/mode: "objectz" is not allowed' '^warn  annotations default/op: handover.dev/soka is not known: is handover.dev/soak meant'
"$HANDOVER" status op --server="$server" | has 'handover.dev/soka is not known: is handover.dev/soak meant' || fail "status does not hint at it: $("$HANDOVER" status op --server="$server")"
annotate mode; annotate soka
fault '{"match":{"path":"*/proxy/*"},"count":-1,"status":503}'
doctor 1 '^FAIL  metrics default/op: no metrics page of op-[a-z0-9-]+ answers through the API server: '
"$HANDOVER" doctor op --server="$server" --lease-namespace=default -o json >"$dir/json" && fail "doctor ended with 0: $(cat "$dir/json")"
jq -e '.version == 1 and .worst == "FAIL" and (.checks | map(select(.check == "metrics")) | length == 1)' "$dir/json" >/dev/null || fail "$(cat "$dir/json")"
kill -TERM "$pid_a"; until_true 10 "nobody leads" leads ''
doctor 1 '^FAIL  lease default/handover: nobody leads'
rc=0; "$HANDOVER" doctor --server=http://127.0.0.1:1 >"$dir/said" 2>&1 || rc=$?
[ $rc = 1 ] && grep -q '^FAIL  server: .*Connection refused' "$dir/said" || fail "without a server: $(cat "$dir/said")"
