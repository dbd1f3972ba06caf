#!/usr/bin/env bash
# The rehearsal bench: COUNT=100000 ConfigMaps are listed on a real API server (its control plane alone), directly and through the proxy of `handover
# rehearse`, by turns; and one of them is read 500 times, each way on a connection that is kept. KUBECONFIG set: that API server, in namespace bench-PID;
# else a cluster of our own. Prints NAME VALUE UNIT; fails below 0.8 times the direct speed, where memory grows with the list, or above 0.5 ms more for a GET.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
. "$here/lib/build.sh"
COUNT=${COUNT:-100000} ROUNDS=${ROUNDS:-5}
out=$(mktemp -d); ns=bench-$$ pid='' own=''
say() { echo "rehearse: $*" >&2; }
build_here rehearse handover
cluster=$top/tests/cluster/cluster.sh inside=()
if [ -z "${KUBECONFIG:-}" ]; then
  export CLUSTER_DIR=${CLUSTER_DIR:-/tmp/handover-bench} CLUSTER_NS=${CLUSTER_NS:-handover-bench} WITHOUT_NODE=1
  [ "$(id -u)" = 0 ] || { say "a cluster of our own needs root"; exit 1; }
  own=1 inside=(nsenter "--net=/run/netns/$CLUSTER_NS")
  "$cluster" up || exit 1
  eval "$("$cluster" env)"
fi
k() { "${inside[@]}" kubectl -n "$ns" "$@"; }
tidy() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null || true; }
  [ -n "$own" ] || k delete namespace "$ns" --wait=false >/dev/null 2>&1 || true
  [ -z "$own" ] || [ -n "${KEEP:-}" ] || "$cluster" down
  rm -rf "$out"
}
trap tidy EXIT
k create namespace "$ns" >/dev/null
until k get serviceaccount default >/dev/null 2>&1; do sleep 0.2; done
"${inside[@]}" kubectl create rolebinding bench -n "$ns" --clusterrole=admin --serviceaccount="$ns:default" >/dev/null
token=$(k create token default --duration=3h)
server=$(kubectl config view --raw --minify -o 'jsonpath={.clusters[0].cluster.server}')
kubectl config view --raw --minify -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}' | base64 -d >"$out/ca.crt"
cat >"$out/kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "$server", certificate-authority: $out/ca.crt}}]
users: [{name: u, user: {token: "$token"}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: $ns}}]
current-context: x
YAML
path=/api/v1/namespaces/$ns/configmaps
say "making $COUNT ConfigMaps"
began=$SECONDS
words=$(head -c 700 /dev/zero | tr '\0' x) # about as long as a small object is
for ((from = 0; from < COUNT; from += 10000)); do # one curl keeps its connections, and a list of what it is to do
  for ((i = from; i < from + 10000 && i < COUNT; i++)); do
    [ $i = $from ] || echo next
    printf 'url="%s"\ncacert="%s"\nheader="Authorization: Bearer %s"\nheader="Content-Type: application/json"\ndata="{\\"metadata\\":{\\"name\\":\\"c%s\\",\\"labels\\":{\\"shard\\":\\"%s\\"}},\\"data\\":{\\"words\\":\\"%s\\"}}"\noutput="/dev/null"\n' \
      "$server$path" "$out/ca.crt" "$token" "$i" "$((i % 10))" "$words"
  done >"$out/todo"
  "${inside[@]}" curl -sS --no-progress-meter --parallel --parallel-max 50 --config "$out/todo" >/dev/null
done
say "they are there after $((SECONDS - began)) s; the proxy starts"
"${inside[@]}" "$BUILD/handover" rehearse --kubeconfig="$out/kubeconfig" --listen=127.0.0.1:9398 >"$out/log" 2>&1 & pid=$!
until theirs=$(sed -n 's/.*KUBECONFIG=//p' "$out/log") && [ -n "$theirs" ]; do kill -0 "$pid" || { cat "$out/log" >&2; exit 1; }; sleep 0.05; done
kubectl --kubeconfig="$theirs" config view --raw --minify -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}' | base64 -d >"$out/theirs.crt"
secret=$(kubectl --kubeconfig="$theirs" config view --raw --minify -o 'jsonpath={.users[0].user.token}')
direct() { "${inside[@]}" curl -sS --http1.1 --cacert "$out/ca.crt" -H "Authorization: Bearer $token" "$@"; }
through() { "${inside[@]}" curl -sS --http1.1 --cacert "$out/theirs.crt" -H "Authorization: Bearer $secret" "$@"; }
D=$server$path T=https://127.0.0.1:9398$path
median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
[ "$(through "$T" | jq '.items | length')" = "$(direct "$D" | jq '.items | length')" ] || { say "not as many objects through the proxy"; exit 1; }
peak() { awk '/^VmHWM:/ {print $2}' "/proc/$pid/status"; }
through "$T?limit=1000" -o /dev/null; echo 5 >"/proc/$pid/clear_refs"; through "$T?limit=1000" -o /dev/null; small=$(peak)
for ((r = 0; r < ROUNDS; r++)); do
  direct "$D" -o /dev/null -w '%{time_total}\n' >>"$out/direct"
  through "$T" -o /dev/null -w '%{time_total}\n' >>"$out/through"
done
big=$(peak)
gets() { # direct|through URL : seconds of each of 500, but of the first
  local i; for i in $(seq 500); do printf 'url="%s"\noutput="/dev/null"\n' "$2/c1"; done >"$out/gets"
  "$1" --config "$out/gets" -w '%{time_total}\n' | tail -n +2
}
gets direct "$D" | median >"$out/get-direct"; gets through "$T" | median >"$out/get-through"
awk -v d="$(median <"$out/direct")" -v t="$(median <"$out/through")" -v gd="$(cat "$out/get-direct")" -v gt="$(cat "$out/get-through")" -v small="$small" -v big="$big" -v n="$COUNT" 'BEGIN {
  printf "list_direct %.0f objects/s\nlist_through %.0f objects/s\nlist_ratio %.2f of-direct\n", n / d, n / t, d / t
  printf "get_direct_p50 %.3f ms\nget_through_p50 %.3f ms\nget_added_p50 %.3f ms\n", 1000 * gd, 1000 * gt, 1000 * (gt - gd)
  printf "memory_peak_1000 %.1f MiB\nmemory_peak_all %.1f MiB\n", small / 1024, big / 1024
  exit !(d / t >= 0.8 && gt - gd < 0.0005 && big < small + 16 * 1024)
}'
