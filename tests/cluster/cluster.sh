#!/usr/bin/env bash
# A real one-node Kubernetes 1.20 for the acceptance stories: etcd, API server, controller manager, scheduler, kubelet,
# containerd and runc, all in one network namespace, so that no packet leaves the machine.
#   cluster.sh build     the Kubernetes programs, from Debian's source package (minutes, once; cached)
#   cluster.sh up        start and wait until the node is ready
#   cluster.sh down      stop and forget everything but the programs
#   cluster.sh env       shell text to eval: KUBECONFIG, and in_cluster() to run a command inside the namespace
#   cluster.sh load NAME ROOTFS ENTRYPOINT    import a root file system as an image
#   cluster.sh restart kubelet|containerd     kill it and start it again, as after a crash of the node's own programs
# Environment: CLUSTER_DIR (state of this cluster), CLUSTER_NS (network namespace, and cgroup), KUBEBUILDER_ASSETS (a folder with the
# programs, used as it is), HANDOVER_CACHE (where built programs are kept), WITHOUT_NODE=1 (up: the control plane alone).
#
# There is no kube-proxy and no DNS: the API server listens on its Service address itself, so that in-cluster
# configuration works; pods reach each other by pod IP.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/../../deploy/packages.sh"
CACHE=${HANDOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/handover-kubernetes}
BIN=${KUBEBUILDER_ASSETS:-$CACHE/bin}
DIR=${CLUSTER_DIR:-/tmp/handover-cluster}
NS=${CLUSTER_NS:-handover}
PKI=$DIR/pki LOG=$DIR/log RUN=$DIR/run
API=https://127.0.0.1:443 NODE_IP=10.200.0.1 SERVICE_IP=10.96.0.1
SOCK=$RUN/containerd.sock
ETCD=$( [ -x "$BIN/etcd" ] && echo "$BIN/etcd" || echo etcd )

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
  packages containerd runc containernetworking-plugins socat conntrack iptables iproute2 openssl procps util-linux jq curl gcc libc6-dev
  command -v "$ETCD" >/dev/null || packages etcd-server
  packages $(packages_kubectl)
}

build() {
  local p missing=
  for p in kube-apiserver kube-controller-manager kube-scheduler kubelet; do [ -x "$BIN/$p" ] || missing="$missing $p"; done
  [ -z "$missing" ] && return 0
  [ -z "${KUBEBUILDER_ASSETS:-}" ] || { say "KUBEBUILDER_ASSETS=$BIN lacks$missing"; return 1; }
  packages golang-go dpkg-dev rsync jq make gcc libc6-dev
  local src; src=$(mktemp -d)
  mkdir -p "$BIN" "$src/lists/partial"
  # the same mirror that apt uses here, with its source index beside the system's own lists
  awk '/^deb / {$1 = "deb-src"; print}' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null >"$src/sources.list" || true
  [ -s "$src/sources.list" ] || echo "deb-src $(apt-cache policy base-files | grep -oE 'https?://[^ ]+' | head -1) bookworm main" >"$src/sources.list"
  local o=(-o "Dir::State::Lists=$src/lists" -o "Dir::Etc::sourcelist=$src/sources.list" -o Dir::Etc::sourceparts=/dev/null)
  say "building$missing from Debian's source package (about 8 minutes on 2 cores)"
  ( trap 'rm -rf "$src"' EXIT # of this subshell: a trap on RETURN would outlive the function, and src
    cd "$src"
    apt-get "${o[@]}" update -qq
    apt-get "${o[@]}" source --download-only -qq kubernetes >/dev/null
    dpkg-source -x kubernetes_*.dsc k8s >/dev/null 2>&1
    cd k8s
    export PATH="/usr/lib/go-1.19/bin:$PATH" GO111MODULE=off GOFLAGS= GOCACHE="$src/gocache" GOTOOLCHAIN=local
    export KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_TREE_STATE=clean KUBE_GIT_COMMIT=debian
    make WHAT="cmd/kube-apiserver cmd/kube-controller-manager cmd/kube-scheduler cmd/kubelet" >"$src/build.log" 2>&1 ||
      { tail -30 "$src/build.log" >&2; exit 1; }
    cp _output/local/bin/linux/*/kube* "$BIN"/ )
}

certificates() {
  mkdir -p "$PKI"; cd "$PKI"
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=handover-test-ca -keyout ca.key -out ca.crt 2>/dev/null
  sign() { # NAME SUBJECT [SAN]
    openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" \
      -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s' "${3:+subjectAltName=$3}") 2>/dev/null
  }
  sign apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:$SERVICE_IP,IP:$NODE_IP,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  sign admin /O=system:masters/CN=admin
  sign kubelet "/O=system:nodes/CN=system:node:node1" "IP:$NODE_IP,DNS:node1"
  openssl genrsa -out sa.key 2048 2>/dev/null; openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  local u
  for u in admin kubelet; do
    cat >"$u.kubeconfig" <<EOF
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "$API", certificate-authority-data: $(base64 -w0 <ca.crt)}}]
users: [{name: u, user: {client-certificate-data: $(base64 -w0 <$u.crt), client-key-data: $(base64 -w0 <$u.key)}}]
contexts: [{name: test, context: {cluster: test, user: u}}]
current-context: test
EOF
  done
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
  in_ns ip addr add "$NODE_IP/24" dev node0
  in_ns ip addr add "$SERVICE_IP/32" dev node0 # the API server's Service address, without a kube-proxy
  in_ns ip route add default dev node0
  in_ns sysctl -qw net.ipv4.ip_forward=1
}

# A kubelet kills what it does not know below its cgroup root: two of them on one machine need one each.
cgroup() {
  local c
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p "/sys/fs/cgroup/$NS"
    for c in $(cat /sys/fs/cgroup/cgroup.controllers); do
      echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control; echo "+$c" >"/sys/fs/cgroup/$NS/cgroup.subtree_control"
    done 2>/dev/null || true
    return
  fi
  for c in /sys/fs/cgroup/*/; do mkdir -p "$c$NS" 2>/dev/null || true; done
  for c in cpuset.cpus cpuset.mems; do
    [ ! -e "/sys/fs/cgroup/cpuset/$c" ] || cat "/sys/fs/cgroup/cpuset/$c" >"/sys/fs/cgroup/cpuset/$NS/$c"
  done
}
forget_cgroup() { # innermost first; what still has a process stays
  local c
  for c in "/sys/fs/cgroup/$NS" /sys/fs/cgroup/*/"$NS"; do
    [ ! -d "$c" ] || find "$c" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

control_plane() {
  start etcd "$ETCD" --data-dir "$DIR/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync
  start kube-apiserver "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --secure-port=443 \
    --advertise-address=$NODE_IP --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
    --client-ca-file="$PKI/ca.crt" --kubelet-client-certificate="$PKI/admin.crt" --kubelet-client-key="$PKI/admin.key" \
    --kubelet-preferred-address-types=InternalIP --service-account-key-file="$PKI/sa.pub" \
    --service-account-signing-key-file="$PKI/sa.key" --service-account-issuer=$API --service-cluster-ip-range=10.96.0.0/16 \
    --authorization-mode=Node,RBAC --allow-privileged=true --disable-admission-plugins=TaintNodesByCondition
  wait_for 120 "the API server" in_ns kubectl get --raw /readyz
  start kube-controller-manager "$BIN/kube-controller-manager" --kubeconfig="$PKI/admin.kubeconfig" --leader-elect=false \
    --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" --use-service-account-credentials=true
  start kube-scheduler "$BIN/kube-scheduler" --kubeconfig="$PKI/admin.kubeconfig" --leader-elect=false
}

node() {
  mkdir -p "$DIR/cni" "$DIR/containerd"; cgroup
  cat >"$DIR/cni/10-test.conflist" <<EOF
{"cniVersion":"0.4.0","name":"test","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"10.201.0.0/22"}]],"routes":[{"dst":"0.0.0.0/0"}],"dataDir":"$DIR/ipam"}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
EOF
  # restrict_oom_score_adj: containers of this machine have no CAP_SYS_RESOURCE. runc: crun refuses a hybrid cgroup tree.
  cat >"$DIR/containerd/config.toml" <<EOF
version = 2
root = "$DIR/containerd/root"
state = "$DIR/containerd/state"
[grpc]
  address = "$SOCK"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$DIR/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "/usr/sbin/runc"
EOF
  start_mounts
  start_containerd
  pause_image
  # kubeAPIQPS: the default since 1.27; 5 a second, as 1.20 has it, makes every status of a busy node late by minutes
  cat >"$DIR/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /$NS
failSwapOn: false
evictionHard: {memory.available: "50Mi", nodefs.available: "1%", imagefs.available: "1%"}
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
resolvConf: ""
maxPods: 250
volumeStatsAggPeriod: 5s
kubeAPIQPS: 50
kubeAPIBurst: 100
eventRecordQPS: 50
EOF
  start_kubelet
}

# The kubelet keeps pods' logs in /var/log/pods, and sweeps away what it does not know, also another cluster's on this machine.
# So the node's programs have mounts of their own, with a folder of this cluster there: $DIR/pod-logs.
start_mounts() {
  mkdir -p "$DIR/pod-logs" "$DIR/root" /var/log/pods
  local logs="mount --bind '$DIR/pod-logs' /var/log/pods && exec sleep infinity"
  if mountpoint -q /; then
    start mounts unshare --mount --propagation slave sh -c "$logs"
  else # a chroot: the kubelet looks for the mount at /, so the node gets one
    start mounts unshare --mount --propagation unchanged sh -c 'mount --rbind / "$1/root" && exec chroot "$1/root" sh -c "$2"' sh "$DIR" "$logs"
  fi
  wait_for 20 "the node's mounts" on_node mountpoint -q /var/log/pods
}
# --root: entering a mount namespace leads to its root, which is not ours in a chroot
on_node() { local p=/proc/$(cat "$RUN/mounts.pid"); nsenter --mount="$p/ns/mnt" --root="$p/root" --wd=/ "$@"; }
start_on_node() { local name=$1 p; shift; p=/proc/$(cat "$RUN/mounts.pid"); start "$name" nsenter --mount="$p/ns/mnt" --root="$p/root" --wd=/ "$@"; }

start_containerd() {
  start_on_node containerd containerd --config "$DIR/containerd/config.toml"
  wait_for 60 containerd ctr -a "$SOCK" version
}
start_kubelet() {
  # nsenter, not `ip netns exec`: that one hides the cgroup mounts from the kubelet
  start_on_node kubelet "$BIN/kubelet" --config="$DIR/kubelet.yaml" --kubeconfig="$PKI/kubelet.kubeconfig" --hostname-override=node1 \
    --node-ip=$NODE_IP --root-dir="$DIR/kubelet" --container-runtime=remote --container-runtime-endpoint="unix://$SOCK" \
    --pod-infra-container-image=localhost/pause:1
  wait_for 120 "the node" sh -c "nsenter --net=/run/netns/$NS kubectl get node node1 | grep -qw Ready"
}

up() {
  runtime_packages; build
  [ ! -d "$PKI" ] || { say "$DIR is in use: cluster.sh down first"; return 1; }
  mkdir -p "$LOG" "$RUN"
  certificates; export KUBECONFIG=$PKI/admin.kubeconfig
  network; control_plane
  [ -n "${WITHOUT_NODE:-}" ] || node
  wait_for 60 "the default service account" in_ns kubectl get serviceaccount default
  say "up: KUBECONFIG=$KUBECONFIG in namespace $NS"
}

load() { # NAME ROOTFS ENTRYPOINT
  local name=$1 root=$2 entry=$3 d; d=$(mktemp -d)
  "$here/../../deploy/image/oci.sh" "$name" "$root" "$entry" "$d/image.tar"
  ctr -a "$SOCK" -n k8s.io images import --snapshotter native "$d/image.tar" >/dev/null
  rm -rf "$d"
}
pause_image() { # what keeps a pod's namespaces open
  local d; d=$(mktemp -d); mkdir "$d/root"
  printf '#include <signal.h>\n#include <unistd.h>\nstatic void q(int s){(void)s;_exit(0);}int main(void){signal(SIGTERM,q);signal(SIGINT,q);for(;;)pause();}\n' >"$d/p.c"
  gcc -static -Os -o "$d/root/pause" "$d/p.c"; load localhost/pause:1 "$d/root" /pause; rm -rf "$d"
}

stop() { # NAME: the process that we started, by its id
  local f=$RUN/$1.pid pid; [ -f "$f" ] || return 0; pid=$(cat "$f"); rm -f "$f"
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 40); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}
restart() { # kubelet | containerd: nobody tells it to stop; containers and their shims live on
  case ${1:-} in kubelet | containerd) ;; *) say "restart what?"; return 2 ;; esac
  kill -9 "$(cat "$RUN/$1.pid")"
  "start_$1"
}
# The network namespaces of the pods that run: nobody else forgets them when the pods are killed below
pod_networks() {
  local p f inodes
  inodes=$(ctr -a "$SOCK" -n k8s.io tasks ls 2>/dev/null | awk 'NR > 1 {print $2}' | while read -r p; do stat -Lc %i "/proc/$p/ns/net"; done 2>/dev/null) || true
  for f in /run/netns/cni-*; do
    if grep -qx "$(stat -c %i "$f" 2>/dev/null)" <<<"$inodes"; then echo "${f##*/}"; fi
  done
}
down() {
  stop kubelet
  local t nets; nets=$(pod_networks)
  for t in $(ctr -a "$SOCK" -n k8s.io tasks ls -q 2>/dev/null); do ctr -a "$SOCK" -n k8s.io tasks kill -s SIGKILL "$t" 2>/dev/null || true; done
  for t in $(ctr -a "$SOCK" -n k8s.io tasks ls -q 2>/dev/null); do ctr -a "$SOCK" -n k8s.io tasks delete -f "$t" >/dev/null 2>&1 || true; done
  for t in kube-scheduler kube-controller-manager kube-apiserver etcd containerd mounts; do stop "$t"; done
  for t in $(pgrep -f "containerd-shim.*$SOCK"); do kill -9 "$t" 2>/dev/null || true; done # shims of our socket only
  awk -v d="$DIR/" 'index($2, d) == 1 {print $2}' /proc/mounts | sort -r | while read -r m; do umount -l "$m" 2>/dev/null || true; done
  for t in "$NS" $nets; do ip netns del "$t" 2>/dev/null || true; done
  forget_cgroup
  rm -rf "$DIR"
}

case ${1:-} in
  build) build ;;
  up) up ;;
  down) down ;;
  load) shift; load "$@" ;;
  restart) restart "${2:-}" ;;
  env) echo "export KUBECONFIG=$PKI/admin.kubeconfig CLUSTER_NS=$NS; in_cluster() { nsenter --net=/run/netns/$NS \"\$@\"; }" ;;
  *) sed -n 2,12p "$0"; exit 2 ;;
esac
