# What a real API server refuses and a kinder one takes: an operator changes again what it wrote in its rehearsal. It deletes live objects and takes away their
# finalizers (patch, PUT), changes Services and Jobs that it made, and two managers apply to one object and withdraw. Each request is answered as it would be
# without the rehearsal, the report names what would be left, and nothing is written.
# tags: api
. ./rehearsals.sh
d=$(mktemp -d)
tidy() { # or the namespace stays
  k patch configmap patched put --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null 2>&1 || true
  rm -rf "$d"
}
trap tidy EXIT
rehearsals_kubeconfig operator "$d/kubeconfig"
k apply -f - >/dev/null <<'YAML'
{apiVersion: v1, kind: ConfigMap, metadata: {name: patched, finalizers: [x.example.com/f]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: put, finalizers: [x.example.com/f]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: old}, data: {z: "1"}}
YAML
cat >"$d/operator" <<'OPERATOR'
#!/usr/bin/env bash
set -euo pipefail
export KUBECONFIG=$1; ns=$2 core=/api/v1/namespaces/$2
k() { kubectl -n "$ns" "$@"; }
object() { printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s","namespace":"%s"%s}%s}' "$1" "$ns" "${2:-}" "${3:-}"; }
apply() { object "$2" "${3:-}" "${4:-}" | k apply --server-side --field-manager="$1" -f -; }
gone() { ! k get "$@" 2>/dev/null; }
is() { local got; got=$(k get "$1" "$2" -o "jsonpath=$3"); [ "$got" = "$4" ] || { echo "$1/$2 $3 is $got, not $4" >&2; exit 9; }; }
set -x
k delete configmap patched --wait=false
k label configmap patched a=b
k patch configmap patched --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'
gone configmap patched
k delete configmap put --wait=false
k get --raw "$core/configmaps/put" | jq 'del(.metadata.finalizers)' | k replace --raw "$core/configmaps/put" -f -
gone configmap put
for type in clusterip nodeport loadbalancer; do
  k create service $type $type --tcp=80
  address=$(k get service $type -o 'jsonpath={.spec.clusterIP} {.spec.ports[0].nodePort}')
  k label service $type a=b
  k get --raw "$core/services/$type" | jq '.metadata.annotations.c = "d"' | k replace --raw "$core/services/$type" -f -
  is service $type '{.metadata.labels.a} {.metadata.annotations.c} {.spec.clusterIP} {.spec.ports[0].nodePort}' "b d $address"
done
k create job j --image=none
selector=$(k get job j -o 'jsonpath={.spec.selector}')
k label job j a=b
k patch job j --type=merge -p '{"spec":{"suspend":true}}'
is job j '{.metadata.labels.a} {.spec.suspend} {.spec.selector}' "b true $selector"
k label configmap old who=me
apply other old ',"labels":{"s":"1"}'
is configmap old '{.metadata.labels}' '{"s":"1","who":"me"}'
apply other old
is configmap old '{.metadata.labels}' '{"who":"me"}'
apply one new '' ',"data":{"a":"1"}'
apply two new '' ',"data":{"b":"2"}'
is configmap new '{.data}' '{"a":"1","b":"2"}'
apply two new
is configmap new '{.data}' '{"a":"1"}'
OPERATOR
chmod +x "$d/operator"
rc=0; in_cluster "$HANDOVER_BIN" rehearse --kubeconfig "$d/kubeconfig" --quiet-for 1s -o json -- "$d/operator" {} "$NS" >"$d/report.json" 2>"$d/log" || rc=$?
[ $rc = 3 ] || { tail -5 "$d/log"; fail "the rehearsal ended with $rc"; }
left=$(jq -r '.objects[] | "\(.change) \(.kind) \(.name)"' "$d/report.json" | sort | paste -sd,)
[ "$left" = "changed ConfigMap old,created ConfigMap new,created Job j,created Service clusterip,created Service loadbalancer,created Service nodeport,deleted ConfigMap patched,deleted ConfigMap put" ] || fail "the report has $left"
[ "$(k get configmaps,services,jobs -o json | jq -r '[.items[] | select(.metadata.name != "kube-root-ca.crt") | .metadata | "\(.name)\(.labels // {})\(.deletionTimestamp // "")"] | join(",")')" = 'old{},patched{},put{}' ] || fail "something was written"
dry_runs_alone its operator
note "$(jq -r .summary "$d/report.json")"
