# The FlowSchema that we ship: the API server takes Handover's renewals at the priority level of leader elections, and nothing else of it.
served "flowcontrol.apiserver.k8s.io/v1" 29
trap 'in_cluster kubectl delete flowschema handover-leader-election >/dev/null 2>&1 || true' EXIT
in_cluster kubectl apply -f "$TOP/deploy/manifests/policy/flowschema.yaml" >/dev/null
level() { # of the requests that the schema took so far
  in_cluster kubectl get --raw /metrics | sed -nE 's/^apiserver_flowcontrol_dispatched_requests_total\{flow_schema="handover-leader-election",priority_level="([^"]*)"\} (.*)/\1 \2/p'
}
taken() { level | awk '$1 == "leader-election" && $2 >= 3 {found = 1} END {exit !found}'; }
until_true 30 "renewals at the level leader-election" taken
note "requests so far: $(level)"
# everything else of its ServiceAccount stays where it was
uid=$(in_cluster kubectl get flowschema handover-leader-election -o 'jsonpath={.metadata.uid}')
schema_of() { in_cluster kubectl get --raw "$1" --as=system:serviceaccount:handover-system:handover --as-group=system:serviceaccounts --as-group=system:authenticated -v=8 2>&1 | sed -nE 's/.*X-Kubernetes-Pf-Flowschema-Uid: ?\[?"?([0-9a-f-]*).*/\1/Ip' | head -1; }
[ "$(schema_of /apis/coordination.k8s.io/v1/namespaces/handover-system/leases/handover)" = "$uid" ] || fail "the Lease is not taken by it"
[ "$(schema_of /api/v1/namespaces/handover-system/pods)" != "$uid" ] || fail "pods are taken by it"
