# deploy/kustomize, and deploy/helm with the real Helm: its objects are those of deploy/manifests; a release for one namespace is installed, leads, is upgraded,
# refuses a value that makes no sense, and leaves nothing behind.
# operator: helm
helm=$(operators/build.sh helm 2>&1 | tail -1)/operator
[ -x "$helm" ] || skip "Helm: ${helm%/operator}"
chart=$TOP/deploy/helm/handover
d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
h() { in_cluster "$helm" "$@" 2> >(grep -v 'symbolic link' >&2); }
h lint --strict "$chart" >/dev/null || fail "helm lint"

# Both through kustomize, which writes an object one way only.
normal() { (cd "$1" && printf 'resources: [%s]\n' "$(ls ./*.yaml | paste -sd,)" >Kustomization && kubectl kustomize .); }
mkdir "$d/ours" "$d/theirs"
cp "$TOP"/deploy/manifests/[1-9]*.yaml "$d/ours"
h template handover "$chart" -n handover-system --set image.tag=dev,podDisruptionBudget=false,flowSchema=false >"$d/theirs/all.yaml"
diff <(normal "$d/ours") <(normal "$d/theirs") || fail "the chart's objects are not those of deploy/manifests"
! h template handover "$chart" --set replicas=0 >/dev/null 2>&1 || fail "no replicas are accepted"
! h template handover "$chart" --set replica=3 >/dev/null 2>&1 || fail "a value that does not exist is accepted"
[ "$(h template handover "$chart" --set networkPolicy=true,podMonitor=true | grep -cE '^kind: (NetworkPolicy|PodMonitor)$')" = 2 ] || fail "a policy is missing"
[ "$(h template handover "$chart" -n elsewhere --set holdPolicy=true --api-versions admissionregistration.k8s.io/v1/MutatingAdmissionPolicy | grep -o 'system:serviceaccount:elsewhere:handover' | wc -l)" -ge 4 ] || fail "the policy does not know the release's account"
! h template handover "$chart" --set holdPolicy=true --kube-version 1.30 | has MutatingAdmission || fail "the policy is for an API server that does not have it"
! h template handover "$chart" --set metricsAccount=false | has metrics-account || fail "the account that is not wanted is named"

# And those of deploy/kustomize, which this server takes.
mkdir "$d/base"; cp "$TOP"/deploy/manifests/*.yaml "$d/base"
diff <(normal "$d/base") <(kubectl kustomize "$TOP/deploy/kustomize/base") || fail "kustomize's objects are not those of deploy/manifests"
for overlay in "$TOP"/deploy/kustomize/*; do
  in_cluster kubectl apply -k "$overlay" --dry-run=server >/dev/null || fail "$overlay"
done

# For one namespace, beside the Handover that serves this cluster.
image=${HANDOVER_IMAGE:-localhost/handover:test}
options=(-n "$NS" --wait --timeout 180s --set "namespace=$NS,image.repository=${image%:*},image.tag=${image##*:},metricsAccount=false")
mine() { in_cluster kubectl get clusterroles,clusterrolebindings,flowschemas,roles,rolebindings,serviceaccounts,deployments,pdb,leases -A -o name 2>/dev/null | grep -e "$NS" || true; }
h install tenant "$chart" "${options[@]}" --set replicas=1 >/dev/null || fail "helm install"
leads() { [ -n "$(k get lease "handover-$NS" -o 'jsonpath={.spec.holderIdentity}')" ]; }
until_true 30 "the release leads" leads
ready() { [ "$(field "deployment/handover-$NS" '{.status.readyReplicas}')" = "$1" ]; }
h upgrade tenant "$chart" "${options[@]}" --set replicas=2 >/dev/null || fail "helm upgrade"
until_true 30 "both pods are ready" ready 2
[ "$(field "pdb/handover-$NS" '{.status.expectedPods}')" = 2 ] || fail "its PodDisruptionBudget does not see its pods: $(field "pdb/handover-$NS" '{.status}')"
h uninstall tenant -n "$NS" --wait >/dev/null || fail "helm uninstall"
k delete lease "handover-$NS" >/dev/null # the Lease is Handover's own, and outlives it
left=$(mine); [ -z "$left" ] || fail "left behind: $left"
