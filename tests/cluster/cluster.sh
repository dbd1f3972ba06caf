#!/usr/bin/env bash
# A real Kubernetes for the acceptance stories: etcd, API server, controller manager, scheduler, and a node of kubelet, containerd and
# runc, in network namespaces of their own, so that no packet leaves the machine.
#   cluster.sh build     its programs (minutes, once; cached outside the tree: see programs.sh)
#   cluster.sh up        start and wait until the node is ready
#   cluster.sh down      stop and forget everything but the programs
#   cluster.sh env       shell text to eval: KUBECONFIG, and in_cluster() to run a command inside the namespace
#   cluster.sh load NAME ROOTFS ENTRYPOINT    import a root file system as an image, on every node
#   cluster.sh restart PROGRAM [NODE]         kill kubelet, containerd, kube-apiserver or etcd and start it again, as after a crash
#   cluster.sh node N up|down|lose            one more node; down takes it away; lose kills it with all that runs there, unannounced
#   cluster.sh etcd save|restore              a backup of the data; what was written since is forgotten
# Environment: CLUSTER_VERSION (current, oldest, 1.37, ...), CLUSTER_DIR (state of this cluster), CLUSTER_NS (network namespace, and
# cgroup), KUBEBUILDER_ASSETS (a folder with the programs, used as it is; without a kubelet there is no node), HANDOVER_CACHE (where
# built programs are kept), WITHOUT_NODE=1 (up: the control plane alone), API_ARGS (more arguments of the API server), CONTROLLER_ARGS
# (of controller manager and scheduler).
#
# There is no kube-proxy and no DNS: the API server listens on its Service address itself, so that in-cluster
# configuration works; pods reach each other by pod IP.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/../../deploy/packages.sh"; . "$here/versions.sh"
DIR=${CLUSTER_DIR:-/tmp/handover-cluster}
NS=${CLUSTER_NS:-handover}
PKI=$DIR/pki LOG=$DIR/log RUN=$DIR/run
API=https://127.0.0.1:443 SERVICE_IP=10.96.0.1
node_ip() { echo "10.200.0.$1"; }

say() { echo "cluster: $*" >&2; }
in_ns() { nsenter --net="/run/netns/$NS" "$@"; }

packages() { # what apt has to bring for the given purpose
  local want log; want=$(packages_missing "$@")
  [ -n "$want" ] || return 0
  say "installing" $want
  log=$(mktemp); packages_install "$log" $want || { tail -20 "$log" >&2; return 1; }
  rm -f "$log"
}
runtime_packages() {
  packages iproute2 openssl procps util-linux jq curl
  [ -n "${WITHOUT_NODE:-}" ] || packages containerd runc containernetworking-plugins socat conntrack iptables gcc libc6-dev
  command -v "$ETCD" >/dev/null || packages etcd-server
  command -v kubectl >/dev/null || packages $(packages_kubectl)
}

# Sets BIN, MINOR and ETCD: of the cluster that is up, else of CLUSTER_VERSION
programs() {
  if [ -f "$DIR/bin" ]; then BIN=$(cat "$DIR/bin"); else BIN=$("$BASH" "$here/programs.sh" "${CLUSTER_VERSION:-current}"); fi
  [ -x "$BIN/kube-apiserver" ] || { say "$BIN has no kube-apiserver"; return 1; }
  MINOR=$("$BIN/kube-apiserver" --version | sed -nE 's/^Kubernetes v1\.([0-9]+).*/\1/p')
  [ -n "$MINOR" ] || { say "$BIN/kube-apiserver does not say its version"; return 1; }
  [ -x "$BIN/kubelet" ] && [ -x "$BIN/kube-controller-manager" ] && [ -x "$BIN/kube-scheduler" ] || WITHOUT_NODE=1
  ETCD=$BIN/etcd; [ -x "$ETCD" ] || ETCD=etcd
  PATH=$BIN:$PATH
}

certificates() {
  mkdir -p "$PKI"; cd "$PKI"
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=handover-test-ca -keyout ca.key -out ca.crt 2>/dev/null
  sign apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:127.0.0.2,IP:$SERVICE_IP,IP:$(node_ip 1),DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  sign admin /O=system:masters/CN=admin
  openssl genrsa -out sa.key 2048 2>/dev/null; openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  kubeconfig admin "$API"
}
sign() { # NAME SUBJECT [SAN], in $PKI
  openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s' "${3:+subjectAltName=$3}") 2>/dev/null
}
kubeconfig() { # USER SERVER, in $PKI
  cat >"$1.kubeconfig" <<EOF
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "$2", certificate-authority-data: $(base64 -w0 <ca.crt)}}]
users: [{name: u, user: {client-certificate-data: $(base64 -w0 <$1.crt), client-key-data: $(base64 -w0 <$1.key)}}]
contexts: [{name: test, context: {cluster: test, user: u}}]
current-context: test
EOF
}

start() { # NAME COMMAND... : in the namespace, in a session of its own, its pid remembered
  local name=$1; shift
  setsid nsenter --net="/run/netns/$NS" "$@" >>"$LOG/$name.log" 2>&1 </dev/null & echo $! >"$RUN/$name.pid"
}
wait_for() { # HALF-SECONDS WHAT COMMAND...
  local n=$1 what=$2; shift 2
  for _ in $(seq "$n"); do "$@" >/dev/null 2>&1 && return 0; sleep 0.5; done
  say "gave up waiting for $what; its last words:"; tail -n 15 "$LOG"/*.log >&2 || true; return 1
}

network() {
  ip netns add "$NS"
  in_ns ip link set lo up
  in_ns ip link add node0 type veth peer name node0p
  in_ns ip link set node0p up; in_ns ip link set node0 up
  in_ns ip addr add "$(node_ip 1)/32" dev node0
  in_ns ip addr add "$SERVICE_IP/32" dev node0 # the API server's Service address, without a kube-proxy
  in_ns ip route add default dev node0
  in_ns sysctl -qw net.ipv4.ip_forward=1
}

wait_for_api() { wait_for 120 "the API server" in_ns kubectl --kubeconfig="$PKI/admin.kubeconfig" get --raw /readyz; }
start_etcd() {
  start etcd "$ETCD" --data-dir "$DIR/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync
}
# The audit log has what Handover writes, with the whole of its Lease, and what an operator in a rehearsal of the stories
# writes; of the one that tries everything what it reads, too: an exec is a GET.
audit() {
  cat >"$DIR/audit.yaml" <<EOF
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: ["system:serviceaccount:rehearsals:hostile"]}
- {level: None, verbs: [get, list, watch]}
- {level: Request, users: ["system:serviceaccount:handover-system:handover"], resources: [{group: coordination.k8s.io, resources: [leases]}]}
- {level: Metadata, users: ["system:serviceaccount:handover-system:handover", "system:serviceaccount:rehearsals:operator", "system:serviceaccount:rehearsed:op"]}
- {level: None}
EOF
}
start_kube-apiserver() {
  audit
  start kube-apiserver "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --secure-port=443 \
    --advertise-address="$(node_ip 1)" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
    --client-ca-file="$PKI/ca.crt" --kubelet-client-certificate="$PKI/admin.crt" --kubelet-client-key="$PKI/admin.key" \
    --kubelet-preferred-address-types=InternalIP --service-account-key-file="$PKI/sa.pub" \
    --service-account-signing-key-file="$PKI/sa.key" --service-account-issuer=$API --service-cluster-ip-range=10.96.0.0/16 \
    --authorization-mode=Node,RBAC --allow-privileged=true --audit-policy-file="$DIR/audit.yaml" --audit-log-path="$LOG/audit.jsonl" ${API_ARGS:-}
  wait_for_api
}
start_controllers() {
  [ -x "$BIN/kube-controller-manager" ] && [ -x "$BIN/kube-scheduler" ] || return 0
  start kube-controller-manager "$BIN/kube-controller-manager" --kubeconfig="$PKI/admin.kubeconfig" --leader-elect=false \
    --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" --use-service-account-credentials=true ${CONTROLLER_ARGS:-}
  start kube-scheduler "$BIN/kube-scheduler" --kubeconfig="$PKI/admin.kubeconfig" --leader-elect=false ${CONTROLLER_ARGS:-}
}
control_plane() { start_etcd; start_kube-apiserver; start_controllers; }

. "$here/node.sh"

up() {
  programs; runtime_packages
  [ ! -d "$PKI" ] || { say "$DIR is in use: cluster.sh down first"; return 1; }
  mkdir -p "$LOG" "$RUN"; echo "$BIN" >"$DIR/bin"
  certificates; export KUBECONFIG=$PKI/admin.kubeconfig
  network; control_plane
  [ -n "${WITHOUT_NODE:-}" ] || node_up 1
  [ ! -x "$BIN/kube-controller-manager" ] || wait_for 60 "the default service account" in_ns kubectl get serviceaccount default
  say "up: Kubernetes 1.$MINOR, KUBECONFIG=$KUBECONFIG in namespace $NS"
}

stop() { # NAME: the process that we started, by its id
  local f=$RUN/$1.pid pid; [ -f "$f" ] || return 0; pid=$(cat "$f"); rm -f "$f"
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 40); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}
crash() { local pid; pid=$(cat "$RUN/$1.pid"); kill -9 "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done; }
restart() { # PROGRAM [NODE]: nobody tells it to stop; containers and their shims live on
  case ${1:-} in
    kubelet | containerd) crash "$1-${2:-1}"; "start_$1" "${2:-1}" ;;
    kube-apiserver | etcd) crash "$1"; "start_$1" ;;
    *) say "restart what? kubelet, containerd, kube-apiserver or etcd"; return 2 ;;
  esac
}
etcd_backup() {
  local n
  case ${1:-} in
    save) stop etcd; rm -rf "$DIR/etcd.saved"; cp -r "$DIR/etcd" "$DIR/etcd.saved"; start_etcd; wait_for_api ;;
    restore)
      [ -d "$DIR/etcd.saved" ] || { say "there is no backup: cluster.sh etcd save"; return 1; }
      # their caches are ahead of the data, as an administrator's handbook says: they start anew, the node too
      for n in kube-scheduler kube-controller-manager kube-apiserver etcd; do stop "$n"; done
      rm -rf "$DIR/etcd"; cp -r "$DIR/etcd.saved" "$DIR/etcd"; control_plane
      for n in $(nodes); do restart kubelet "$n"; done ;;
    *) say "etcd what? save or restore"; return 2 ;;
  esac
}
down() {
  local n t
  for n in $(nodes); do node_down "$n"; done
  for t in kube-scheduler kube-controller-manager kube-apiserver etcd; do stop "$t"; done
  ip netns del "$NS" 2>/dev/null || true
  rm -rf "$DIR"
}

case ${1:-} in
  build) programs ;;
  up) up ;;
  down) down ;;
  load) shift; load "$@" ;;
  restart) programs; restart "${2:-}" "${3:-}" ;;
  node) programs; case ${3:-} in up | down | lose) "node_$3" "$2" ;; *) say "node $2 what? up, down or lose"; exit 2 ;; esac ;;
  etcd) programs; etcd_backup "${2:-}" ;;
  env) programs
    echo "unset API_SOCKET; export KUBECONFIG=$PKI/admin.kubeconfig CLUSTER_NS=$NS CLUSTER_MINOR=$MINOR CLUSTER_NODES='$(nodes)' PATH=$BIN:\$PATH; in_cluster() { nsenter --net=/run/netns/$NS \"\$@\"; }" ;;
  *) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
