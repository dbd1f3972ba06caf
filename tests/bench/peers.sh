#!/usr/bin/env bash
# The peers bench: Handover, Argo Rollouts' controller, Flagger, and as a floor a bare client-go informer and a bare controller-runtime
# manager, one after another on one real control plane without a node. docs/bench.md explains the figures. Lines "NAME VALUE UNIT"; ends with 1
# where an aim is missed. What cannot be built is skipped with one line.
#   TARGETS=1000 that each adopts, COUNT=20 updates in both measurements of delays, SETTLE=30 seconds until memory is read,
#   REST=60 seconds in which requests at rest are counted, WHO="handover argo flagger informer manager"
# The cluster is one of our own (root; CLUSTER_DIR, CLUSTER_NS; KEEP=1 leaves it and the logs). Peers stay in HANDOVER_CACHE (~/.cache/handover-kubernetes/peers).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
TARGETS=${TARGETS:-1000} COUNT=${COUNT:-20} SETTLE=${SETTLE:-30} REST=${REST:-60}
WHO=${WHO:-handover argo flagger informer manager}
CACHE=${HANDOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/handover-kubernetes}/peers
out=$(mktemp -d) missed=0
: >"$out/figures"
say() { echo "peers: $*" >&2; }
. "$here/lib/measure.sh"; . "$here/peers/programs.sh"
[ -n "${KEEP:-}" ] && say "the logs are in $out"
build_here peers handover
peers_programs

cat >"$out/audit.yaml" <<'YAML'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, userGroups: ["system:serviceaccounts"]}
- {level: None, users: ["system:apiserver"]}
- {level: Metadata}
YAML
export API_ARGS="--audit-policy-file=$out/audit.yaml --audit-log-path=$out/audit.log"
export CONTROLLER_ARGS="--kube-api-qps=500 --kube-api-burst=1000" # 20 a second, as it is, would be what is measured with many targets
export CLUSTER_DIR=${CLUSTER_DIR:-/tmp/handover-bench} CLUSTER_NS=${CLUSTER_NS:-handover-bench}
[ ! -d "$CLUSTER_DIR/pki" ] || "$top/tests/cluster/cluster.sh" down # one that was left has another audit log
own_control_plane
cluster ip route add local 10.201.0.0/16 dev lo # where pods serve their metrics: the stand-in for the kubelet answers
export WHERE=
cluster "$BUILD/peers_side" kubelet >>"$out/kubelet.log" 2>&1 & pid[kubelet]=$!

# Requests of a program, by its user agent: a watch counts when it begins, all others when they end.
requests() { # USER-AGENT
  awk -v agent="\"userAgent\":\"$1" 'index($0, agent) && (/"stage":"ResponseStarted"/ ? /"verb":"watch"/ : !/"verb":"watch"/) { n++ } END { print n + 0 }' "$out/audit.log"
}
declare -A agent=([handover]=handover/ [argo]=rollouts-controller/ [informer]=peers_informer/ [manager]=peers_manager/ [flagger]=flagger/)

begin() { # WHO : starts it, waits until it works
  local log=$out/$1.log; : >"$log"
  case $1 in
    handover) POD_NAME=bench "${inside[@]}" "$BUILD/handover" run --kubeconfig="$KUBECONFIG" --namespace="$WHERE" --lease-namespace="$WHERE" \
      --admin=127.0.0.1:9399 --log-format=json >"$log" 2>&1 & ;;
    argo) POD_NAMESPACE=$WHERE "${inside[@]}" "$CACHE/rollouts-controller" --kubeconfig "$KUBECONFIG" --namespaced --namespace "$WHERE" >"$log" 2>&1 & ;;
    flagger) "${inside[@]}" "$CACHE/flagger" -kubeconfig "$KUBECONFIG" -namespace "$WHERE" -mesh-provider kubernetes -port 9398 -metrics-server http://127.0.0.1:8080 >"$log" 2>&1 & ;;
    *) "${inside[@]}" "$BUILD/peers_$1" >"$log" 2>&1 & ;;
  esac
  pid[$1]=$!
  until grep -qE '"event":"LeaseAcquired"|Started controller|Started rollout workers|Started operator|^ready' "$log"; do
    kill -0 "${pid[$1]}" 2>/dev/null || { say "$1 has ended: $(tail -3 "$log")"; exit 1; }
    sleep 0.05
  done
}
memory() { # WHO idle|targets
  local n
  sleep "$SETTLE"
  for n in RssAnon VmRSS Pss; do note "${1}_${2}_$n" "$(memory_kib "${pid[$1]}" $n)" KiB; done
}
at_rest() { local before; before=$(requests "${agent[$1]}"); sleep "$REST"; note "${1}_rest_requests" $((($(requests "${agent[$1]}") - before) * 60 / REST)) requests/min; }

declare -A made=()
adopts() { case $1 in handover | argo | flagger) ;; *) return 1 ;; esac; } # the others are a floor
measure() { # WHO
  local who=$1 kind=$1 began before i how what ms
  adopts "$who" || kind=handover
  export WHERE=peers-$who
  cluster kubectl create namespace "$WHERE" >/dev/null
  case $who in
    argo) cluster kubectl apply --server-side -f "$CACHE/rollouts-controller-crds" >/dev/null ;;
    flagger) cluster kubectl apply --server-side -f "$CACHE/flagger-crds" >/dev/null ;;
  esac
  begin "$who"; memory "$who" idle; end "$who"
  cluster kubectl -n "$WHERE" delete leases --all >/dev/null # it is started anew: no election is waited for
  say "$who: $TARGETS targets"
  export WHERE=peers-$kind
  cluster kubectl create namespace "$WHERE" >/dev/null 2>&1 || true
  if ! adopts "$who" && [ -n "${made[handover]:-}" ]; then :; else # the floor is measured beside Handover's
    cluster "$BUILD/peers_side" create "$kind" "$TARGETS"; made[$kind]=1
  fi
  cluster "$BUILD/peers_side" observed
  before=$(requests "${agent[$who]}"); began=$(date +%s%N)
  begin "$who"
  if adopts "$who"; then
    cluster "$BUILD/peers_side" adopted "$kind" "$TARGETS"
    note "${who}_adoption" "$(awk -v ns=$(($(date +%s%N) - began)) 'BEGIN { printf "%.1f", ns / 1e9 }')" s
  fi
  memory "$who" targets
  note "${who}_adoption_requests" "$(awk -v n=$(($(requests "${agent[$who]}") - before)) -v t="$TARGETS" 'BEGIN { printf "%.2f", n / t }')" requests/target
  at_rest "$who"
  if adopts "$who"; then
    say "$who: $((2 * COUNT)) updates"
    cluster "$BUILD/peers_side" target "$kind" op
    for how in abort bad; do
      for ((i = 1; i <= COUNT; i++)); do
        while read -r what ms; do
          [ "$what" = update ] && note "${who}_update" "$ms" ms || note "${who}_$how" "$ms" ms
        done < <(cluster "$BUILD/peers_side" round "$kind" op "op:$how-$i" $how)
        [ "$(grep -c "^${who}_$how " "$out/figures")" = "$i" ] || { say "round $i of $who ($how) failed"; exit 1; }
      done
    done
  fi
  end "$who"
  report "${who}_"
  [ -z "$(median "${who}_update")" ] || for how in update abort bad; do echo "${who}_${how}_p90 $(percentile "${who}_$how" 90) ms"; done
}
say "load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
for who in $WHO; do
  if [ -n "${why_not[$who]:-}" ]; then echo "skipped: $who: ${why_not[$who]}"; else measure "$who"; fi
done
say "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"
for who in argo flagger; do # not of "bad": the others read the rate outright
  for figure in idle_RssAnon targets_RssAnon adoption_requests rest_requests update abort; do
    [ -z "$(median "${who}_$figure")" ] || [ -z "$(median "handover_$figure")" ] || aim "$figure: not above that of $who" "$(median "handover_$figure")" "$(median "${who}_$figure")"
  done
done
exit $missed
