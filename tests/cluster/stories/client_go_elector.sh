# Handover and client-go's own elector are candidates for the same Lease, and either follows the other: after a release at once
# (client-go: at its next poll), after a SIGKILL once the lease has expired and not before.
# tags: oldest api
[ -x "$HANDOVER_BIN" ] || skip "there is no $HANDOVER_BIN to run beside the cluster"
. ../go.sh
peer=$(mktemp -d); trap 'end_all; rm -rf "$peer"' EXIT
why=$(go_program ../bench/leadership_peer "$peer/peer" 2>&1) || skip "$why"

[ -n "${OWN_CLUSTER:-}" ] && inside=(nsenter "--net=/run/netns/$CLUSTER_NS") || inside=()
export LEASE_MS=4000 RENEW_MS=3000 RETRY_MS=500
declare -A pid
end_all() { for p in "${pid[@]}"; do kill -9 "$p" 2>/dev/null || true; done; }
go_elector() { "${inside[@]}" "$peer/peer" "$1" "$NS" contested >"$peer/$1" 2>&1 & pid[$1]=$!; }
handover() {
  POD_NAME=$1 POD_UID= "${inside[@]}" "$HANDOVER_BIN" run --namespace="$NS" --lease-namespace="$NS" --lease-name=contested --lease-duration=4s \
    --renew-deadline=3s --retry-period=500ms --admin=none >"$peer/$1" 2>&1 & pid[$1]=$!
}
lease() { field lease/contested "$1"; }
holds() { [[ $(lease '{.spec.holderIdentity}') == "$1"* ]]; }
leads() { until_true "${2:-20}" "$1 leads" holds "$1"; }
said() { grep -q "$2" "$peer/$1"; }
stops() { kill -TERM "${pid[$1]}"; wait "${pid[$1]}" || fail "$1 ended with $?"; unset "pid[$1]"; }
dies() { kill -9 "${pid[$1]}"; wait "${pid[$1]}" 2>/dev/null || true; unset "pid[$1]"; }
# The successor of a killed holder: not before the lease was up, counted from the last renewal that its record shows
follows_expiry() { # SUCCESSOR
  local renewed acquired
  renewed=$(lease '{.spec.renewTime}')
  leads "$1"; acquired=$(lease '{.spec.acquireTime}')
  [ $(($(date -d "$acquired" +%s%3N) - $(date -d "$renewed" +%s%3N))) -ge $LEASE_MS ] || fail "$1 took the lease at $acquired, renewed at $renewed"
}

go_elector go-1; leads go-1
handover ours-1; until_true 10 "ours-1 is warm" said ours-1 "caches are warm"
stops go-1; leads ours-1; until_true 5 "ours-1 says why" said ours-1 "reason=released"
note "ours follows a released client-go"

go_elector go-2; until_true 10 "go-2 has begun" said go-2 warm
stops ours-1; leads go-2; note "client-go follows a released one of ours"

handover ours-2; until_true 10 "ours-2 is warm" said ours-2 "caches are warm"
dies go-2; follows_expiry ours-2; until_true 5 "ours-2 says why" said ours-2 "reason=expired"
note "ours follows a killed client-go, by expiry"

go_elector go-3; until_true 10 "go-3 has begun" said go-3 warm
dies ours-2; follows_expiry go-3; note "client-go follows a killed one of ours, by expiry"

[ "$(lease '{.spec.leaseTransitions}')" = 4 ] || fail "four handovers, and leaseTransitions is $(lease '{.spec.leaseTransitions}')"
stops go-3; [ -z "$(lease '{.spec.holderIdentity}')" ] || fail "client-go did not release it at the end"
