# The API server's name has two addresses. The one in use dies: Handover goes on by the other, and keeps its lease.
# tags: api
[ -n "${OWN_CLUSTER:-}" ] || skip "this cluster is not ours: its certificate authority is not known"
command -v socat >/dev/null || skip "socat is not installed"
d=$(mktemp -d); pids=()
trap 'for p in "${pids[@]}"; do kill -- "-$p" 2>/dev/null || kill "$p" 2>/dev/null || true; done; rm -rf "$d"' EXIT
# Two doors to the one API server, each a process group with a process for each connection; the certificate knows the name.
door() { setsid nsenter --net="/run/netns/$CLUSTER_NS" socat "TCP-LISTEN:7443,bind=$1,reuseaddr,fork" TCP:127.0.0.1:443 & pids+=($!); }
door 127.0.0.11; first=$!; door 127.0.0.12
printf '127.0.0.11 kubernetes.default.svc\n127.0.0.12 kubernetes.default.svc\n' >"$d/hosts"
sed 's|server: "[^"]*"|server: "https://kubernetes.default.svc:7443"|' "$CLUSTER_DIR/pki/admin.kubeconfig" >"$d/config"
in_cluster unshare --mount --propagation private sh -c 'mount --bind "$1" /etc/hosts && shift && exec "$@"' sh "$d/hosts" \
  "$HANDOVER_BIN" run --kubeconfig="$d/config" --namespace="$NS" --lease-namespace="$NS" --admin=none >"$d/log" 2>&1 & pids+=($!); ours=$!
leads() { [ -n "$(field lease/handover '{.spec.holderIdentity}')" ]; }
until_true 20 "it leads" leads
term() { field lease/handover '{.spec.leaseTransitions} {.spec.acquireTime}'; }
at=$(term)
used() { in_cluster ss -tnH state established dst "$1:7443" | wc -l; }
[ "$(used 127.0.0.11)" -gt 0 ] || fail "the first address is not in use: $(in_cluster ss -tn)"
kill -9 -- "-$first"
by_the_other() { [ "$(used 127.0.0.12)" -gt 0 ]; }
until_true 15 "connections to the other address" by_the_other
renewed() { field lease/handover '{.spec.renewTime}'; }
last=$(renewed)
goes_on() { [ "$(renewed)" != "$last" ]; }
within 10 "the lease is renewed" goes_on
kill -0 $ours || fail "it ended: $(tail -5 "$d/log")"
[ "$(term)" = "$at" ] || fail "the lease changed hands: $(term), was $at"
