# The nodes of cluster.sh, which sources this: containerd, kubelet, their mounts, network and cgroup. Node 1 lives in the control
# plane's network namespace, each further one in its own, joined to it by a veth pair. Node N's state is in $DIR/nodeN.

node_dir() { echo "$DIR/node$1"; }
node_ns() { [ "$1" = 1 ] && echo "$NS" || echo "$NS-$1"; }
node_sock() { echo "$RUN/containerd-$1.sock"; }
on_ctr() { local n=$1; shift; ctr -a "$(node_sock "$n")" -n k8s.io "$@"; }
nodes() { local d; for d in "$DIR"/node[0-9]*; do [ ! -d "$d" ] || echo "${d##*/node}"; done | xargs; }

# Further nodes reach the API server at 10.200.0.1, pods of any node each other: node N's are 10.201.(4N).0/22.
pod_net() { echo "10.201.$(($1 * 4 - 4)).0/22"; }
node_network() {
  [ "$1" != 1 ] || return 0
  local n=$1 ns; ns=$(node_ns "$n")
  ip netns add "$ns"
  in_ns ip link add "node$n" type veth peer name eth0 netns "$ns"
  in_ns ip link set "node$n" up
  in_ns ip route add "$(node_ip "$n")/32" dev "node$n" src "$(node_ip 1)"; in_ns ip route add "$(pod_net "$n")" via "$(node_ip "$n")" dev "node$n" onlink
  nsenter --net="/run/netns/$ns" sh -c "ip link set lo up; ip link set eth0 up; ip addr add $(node_ip "$n")/32 dev eth0
    ip route add $(node_ip 1)/32 dev eth0; ip route add default via $(node_ip 1) dev eth0 onlink; sysctl -qw net.ipv4.ip_forward=1"
}

# A kubelet kills what it does not know below its cgroup root: two of them on one machine need one each.
cgroup() { # NAME
  local c
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p "/sys/fs/cgroup/$1"
    for c in $(cat /sys/fs/cgroup/cgroup.controllers); do
      echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control; echo "+$c" >"/sys/fs/cgroup/$1/cgroup.subtree_control"
    done 2>/dev/null || true
    return
  fi
  for c in /sys/fs/cgroup/*/; do mkdir -p "$c$1" 2>/dev/null || true; done
  for c in cpuset.cpus cpuset.mems; do
    [ ! -e "/sys/fs/cgroup/cpuset/$c" ] || cat "/sys/fs/cgroup/cpuset/$c" >"/sys/fs/cgroup/cpuset/$1/$c"
  done
}
forget_cgroup() { # innermost first; what still has a process stays
  local c
  for c in "/sys/fs/cgroup/$1" /sys/fs/cgroup/*/"$1"; do
    [ ! -d "$c" ] || find "$c" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

containerd_config() { # N
  local d; d=$(node_dir "$1")
  cat >"$d/cni/10-test.conflist" <<END
{"cniVersion":"0.4.0","name":"test$1","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,
 "ipam":{"type":"host-local","ranges":[[{"subnet":"$(pod_net "$1")"}]],"routes":[{"dst":"0.0.0.0/0"}],"dataDir":"$d/ipam"}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
END
  # restrict_oom_score_adj: containers of this machine have no CAP_SYS_RESOURCE. runc: crun refuses a hybrid cgroup tree.
  cat >"$d/containerd/config.toml" <<END
version = 2
root = "$d/containerd/root"
state = "$d/containerd/state"
[grpc]
  address = "$(node_sock "$1")"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$d/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "/usr/sbin/runc"
END
}
kubelet_config() { # N
  # kubeAPIQPS: the default since 1.27; 5 a second, as 1.20 has it, makes every status of a busy node late by minutes
  cat <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /$(node_ns "$1")
failSwapOn: false
evictionHard: {memory.available: "50Mi", nodefs.available: "1%", imagefs.available: "1%"}
tlsCertFile: $PKI/kubelet$1.crt
tlsPrivateKeyFile: $PKI/kubelet$1.key
resolvConf: ""
maxPods: 250
volumeStatsAggPeriod: 5s
kubeAPIQPS: 50
kubeAPIBurst: 100
eventRecordQPS: 50
evictionPressureTransitionPeriod: 10s
END
  [ "$MINOR" -lt 27 ] || echo "containerRuntimeEndpoint: unix://$(node_sock "$1")"
  [ "$MINOR" -lt 31 ] || echo "failCgroupV1: false" # cgroup v1 is what some of our machines have
}

# The kubelet keeps pods' logs in /var/log/pods, and sweeps away what it does not know, also another cluster's on this machine.
# So the node's programs have mounts of their own, with a folder of this node there: $DIR/nodeN/pod-logs.
start_mounts() { # N
  local d; d=$(node_dir "$1")
  mkdir -p "$d/pod-logs" "$d/root" /var/log/pods
  local logs="mount --bind '$d/pod-logs' /var/log/pods && exec sleep infinity"
  if mountpoint -q /; then
    start "mounts-$1" unshare --mount --propagation slave sh -c "$logs"
  else # a chroot: the kubelet looks for the mount at /, so the node gets one
    start "mounts-$1" unshare --mount --propagation unchanged sh -c 'mount --rbind / "$1/root" && exec chroot "$1/root" sh -c "$2"' sh "$d" "$logs"
  fi
  wait_for 20 "the node's mounts" on_node "$1" mountpoint -q /var/log/pods
}
# --root: entering a mount namespace leads to its root, which is not ours in a chroot
on_node() { # N COMMAND...
  local n=$1 p; shift; p=/proc/$(cat "$RUN/mounts-$n.pid")
  nsenter --net="/run/netns/$(node_ns "$n")" --mount="$p/ns/mnt" --root="$p/root" --wd=/ "$@"
}
start_on_node() { # NAME N COMMAND... : nsenter, not `ip netns exec`: that one hides the cgroup mounts from the kubelet
  local name=$1-$2 n=$2 p; shift 2; p=/proc/$(cat "$RUN/mounts-$n.pid")
  setsid nsenter --net="/run/netns/$(node_ns "$n")" --mount="$p/ns/mnt" --root="$p/root" --wd=/ "$@" >>"$LOG/$name.log" 2>&1 </dev/null &
  echo $! >"$RUN/$name.pid"
}
start_containerd() { # N
  start_on_node containerd "$1" containerd --config "$(node_dir "$1")/containerd/config.toml"
  wait_for 60 containerd ctr -a "$(node_sock "$1")" version
}
start_kubelet() { # N
  local d args=(); d=$(node_dir "$1")
  [ "$MINOR" -ge 27 ] || args=(--container-runtime=remote --container-runtime-endpoint="unix://$(node_sock "$1")" --pod-infra-container-image=localhost/pause:1)
  start_on_node kubelet "$1" env PATH="$PATH" "$BIN/kubelet" --config="$d/kubelet.yaml" --kubeconfig="$PKI/kubelet$1.kubeconfig" \
    --hostname-override="node$1" --node-ip="$(node_ip "$1")" --root-dir="$d/kubelet" "${args[@]+"${args[@]}"}"
  wait_for 120 "node$1" node_ready "$1"
}
node_ready() { in_ns kubectl --kubeconfig="$PKI/admin.kubeconfig" get node "node$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | [ "$(cat)" = True ]; }

node_up() { # N
  local n=$1 d ns server=$API image; d=$(node_dir "$n"); ns=$(node_ns "$n")
  [ ! -d "$d" ] || { say "node$n is there"; return 1; }
  [ "$n" = 1 ] || server=https://$(node_ip 1):443
  mkdir -p "$d/cni" "$d/containerd"; cgroup "$ns"; node_network "$n"
  ( cd "$PKI"; sign "kubelet$n" "/O=system:nodes/CN=system:node:node$n" "IP:$(node_ip "$n"),DNS:node$n"; kubeconfig "kubelet$n" "$server" )
  containerd_config "$n"; kubelet_config "$n" >"$d/kubelet.yaml"
  start_mounts "$n"; start_containerd "$n"
  [ -d "$DIR/images" ] || pause_image
  for image in "$DIR"/images/*.tar; do on_ctr "$n" images import --snapshotter native "$image" >/dev/null; done
  start_kubelet "$n"
}

# An image is kept, for nodes that come later.
load() { # NAME ROOTFS ENTRYPOINT
  local n tar=$DIR/images/${1//[\/:]/_}.tar lock; mkdir -p "$DIR/images"
  exec {lock}>"$DIR/images/$(basename "$tar" .tar).lock"; flock "$lock" # stories run beside each other, and share images
  "$here/../../deploy/image/oci.sh" "$1" "$2" "$3" "$tar"
  for n in $(nodes); do [ ! -S "$(node_sock "$n")" ] || on_ctr "$n" images import --snapshotter native "$tar" >/dev/null; done
  exec {lock}>&-
}
pause_image() { # what keeps a pod's namespaces open
  local d; d=$(mktemp -d); mkdir "$d/root"
  printf '#include <signal.h>\n#include <unistd.h>\nstatic void q(int s){(void)s;_exit(0);}int main(void){signal(SIGTERM,q);signal(SIGINT,q);for(;;)pause();}\n' >"$d/p.c"
  gcc -static -Os -o "$d/root/pause" "$d/p.c"; load localhost/pause:1 "$d/root" /pause; rm -rf "$d"
}

# The network namespaces of a node's pods: nobody else forgets them when the pods are killed below
pod_networks() { # N
  local p f inodes
  inodes=$(for p in $(node_processes "$1"); do stat -Lc %i "/proc/$p/ns/net"; done 2>/dev/null) || true
  for f in /run/netns/cni-*; do
    if grep -qx "$(stat -c %i "$f" 2>/dev/null)" <<<"$inodes"; then echo "${f##*/}"; fi
  done
  # and those of pods that have ended already: what CNI remembers of this node's subnet
  for f in /run/netns/cni-*; do
    if grep -qE " 10\.201\.($(($1 * 4 - 4))|$(($1 * 4 - 3))|$(($1 * 4 - 2))|$(($1 * 4 - 1)))\." <<<"$(ip -n "${f##*/}" -4 -o addr show eth0 2>/dev/null)" &&
      ip -n "$(node_ns "$1")" link show cni0 >/dev/null 2>&1 && [ -z "$(ip netns pids "${f##*/}" 2>/dev/null)" ]; then echo "${f##*/}"; fi
  done
}
node_processes() { on_ctr "$1" tasks ls 2>/dev/null | awk 'NR > 1 {print $2}'; }
# A power cut: kubelet, containerd and every process of a pod at once, nobody hears of it. The object of the node stays.
node_lose() { # N
  local n=$1 p; local nets; nets=$(pod_networks "$n")
  for p in kubelet containerd; do [ ! -f "$RUN/$p-$n.pid" ] || crash "$p-$n"; done
  # the shims have no other parent, their containers no other shim
  for p in $(pgrep -f "containerd-shim.*$(node_sock "$n")"); do kill -9 $(pgrep -P "$p") "$p" 2>/dev/null || true; done
  for p in $nets; do ip netns del "$p" 2>/dev/null || true; done
  rm -f "$RUN/kubelet-$n.pid" "$RUN/containerd-$n.pid" "$(node_sock "$n")"
}
node_down() { # N
  local n=$1 d t nets; d=$(node_dir "$n")
  stop "kubelet-$n"; nets=$(pod_networks "$n" | sort -u)
  for t in $(on_ctr "$n" tasks ls -q 2>/dev/null); do on_ctr "$n" tasks kill -s SIGKILL "$t" 2>/dev/null || true; done
  for t in $(on_ctr "$n" tasks ls -q 2>/dev/null); do on_ctr "$n" tasks delete -f "$t" >/dev/null 2>&1 || true; done
  stop "containerd-$n"; stop "mounts-$n"
  for t in $(pgrep -f "containerd-shim.*$(node_sock "$n")"); do kill -9 "$t" 2>/dev/null || true; done # shims of our socket only
  awk -v d="$d/" 'index($2, d) == 1 {print $2}' /proc/mounts | sort -r | while read -r t; do umount -l "$t" 2>/dev/null || true; done
  for t in $nets; do ip netns del "$t" 2>/dev/null || true; done
  [ "$n" = 1 ] || { in_ns kubectl --kubeconfig="$PKI/admin.kubeconfig" delete node "node$n" --wait=false >/dev/null 2>&1 || true; ip netns del "$(node_ns "$n")" 2>/dev/null || true; in_ns ip link del "node$n" 2>/dev/null || true; }
  forget_cgroup "$(node_ns "$n")"
  rm -rf "$d"
}
