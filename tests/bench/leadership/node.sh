# The part of the leadership bench that needs a kubelet: pods whose process is killed with keys in flight. Three candidates; the
# killed pod is deleted once it has a successor, and another one comes for it. Now and then the successor is the killed pod's own
# next process, which the kubelet has started meanwhile. Sourced by leadership.sh.

image=localhost/bench-worker:1
image_root=$(mktemp -d)
"$top/deploy/image/rootfs.sh" "$programs/bench_leadership_worker" "$image_root"
"$cluster" load "$image" "$image_root" /usr/bin/bench_leadership_worker
rm -rf "$image_root"
in_kind() { local kind=$1; shift; "${inside[@]}" kubectl -n "$ns-$kind" "$@"; }

rights() { # KIND: what an operator on this runtime needs, and no more
  in_kind "$1" apply -f - >/dev/null <<EOF
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: worker}
rules:
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, update]}
- {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch, create, patch, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: worker}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: worker}
subjects: [{kind: ServiceAccount, name: worker, namespace: $ns-$1}]
EOF
}

launch() { # KIND WHO
  local certificate=/dev/termination-log
  [ "$1" != nocert ] || certificate=/no/such/file
  in_kind "$1" apply -f - >/dev/null <<EOF
apiVersion: v1
kind: Pod
metadata: {name: $2}
spec:
  serviceAccountName: worker
  terminationGracePeriodSeconds: 5
  securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532}
  volumes: [{name: ledger, hostPath: {path: $out}}]
  containers:
  - name: worker
    image: $image
    imagePullPolicy: IfNotPresent
    args: [$2, $ns-$1, lease]
    env:
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
    - {name: TERMINATION_LOG, value: $certificate}
    - {name: LEDGER, value: /ledger/fifo}
    - {name: WORK_MS, value: "100"}
    - {name: LOG, value: "1"}
    volumeMounts: [{name: ledger, mountPath: /ledger}]
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
EOF
}

successor= # of the standbys, or the killed one's next process
await_successor() { # SECONDS WHO...
  local end w; now; end=$((REPLY + $1 * 1000000)); shift
  while :; do
    for w in "$@"; do [ -z "${seen[$w/leading]:-}" ] || { successor=$w; return; }; done
    take; now; [ "$REPLY" -lt $end ] || die "nobody leads after ${leader[$kind]}"
  done
}
crash() { # KIND: SIGKILL to the leader's process
  local kind=$1 old=${leader[$1]} w left= p
  p=$(pgrep -f "^/usr/bin/bench_leadership_worker $old ") || die "$old has no process"
  unset "seen[$old/leading]"
  mark kill9 "$old"; kill -9 "$p"
  await_successor 60 ${standby[$kind]} "$old"
  # shows where the time went
  in_kind "$kind" logs "$successor" --tail=20 2>/dev/null | sed "s/^/$successor /" >>"$out/$kind.log" || true
  [ "$successor" != "$old" ] || return 0
  in_kind "$kind" delete pod "$old" --force --grace-period=0 --wait=false >/dev/null 2>&1 || true
  for w in ${standby[$kind]}; do [ "$w" = "$successor" ] || left+="$w "; done
  leader[$kind]=$successor
  spawn "$kind"; standby[$kind]="$left$who"
}
crashes() { # KIND COUNT
  local i
  rights "$1"; feed "$1" 32 6 6 60
  begin "$1"; spawn "$1"; standby[$1]+=" $who"
  # time for a renewal, which carries the checkpoint, and for a new one not to be the rule
  for ((i = 1; i <= $2; i++)); do between 2500 4500; crash "$1"; done
  pass 2500; unfeed "$1"; settle "$1"
  in_kind "$1" delete pods --all --wait=false >/dev/null
}

if [ "$CRASHES" -gt 0 ]; then say "$CRASHES SIGKILLs of a pod with work in flight"; crashes crash "$CRASHES"; fi
if [ "$NOCERT" -gt 0 ]; then say "$NOCERT SIGKILLs of a pod that leaves no death certificate"; crashes nocert "$NOCERT"; fi
