#!/usr/bin/env bash
# kubectl against the embedded API server: kubectl.sh SERVER [ARG...]
# SERVER is a program that listens on a port of its own choosing and prints a line with its number:
# `handover sim --listen 127.0.0.1:0`. Every kubectl that is found is used: the one in PATH, those in $HOME/.cache, those
# named in HANDOVER_KUBECTLS; or those in KUBECTLS_ONLY, and no other. Without any: skipped.
set -euo pipefail
work=$(mktemp -d); trap 'stop_server; rm -rf "$work"' EXIT
export KUBECONFIG=$work/kubeconfig HOME=${HOME:-/root}
failures=0; server_pid=

stop_server() {
  [ -z "$server_pid" ] && return 0
  local pid=$server_pid; server_pid=
  kill "$pid" 2>/dev/null; wait "$pid" && return 0
  echo "FAIL the server ended badly"; cat "$work/server.err"; failures=$((failures + 1))
}
start_server() {
  "$@" >"$work/server.out" 2>"$work/server.err" & server_pid=$!
  local port=
  for _ in $(seq 200); do port=$(sed -nE '1s/^(.*[^0-9])?([0-9]+)$/\2/p' "$work/server.out"); [ -n "$port" ] && break; sleep 0.05; done
  [ -n "$port" ] || { echo "the server did not start"; cat "$work/server.err"; exit 1; }
  printf 'apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "http://127.0.0.1:%s"}}]\n' "$port" >"$KUBECONFIG"
  printf 'contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u}]\ncurrent-context: c\n' >>"$KUBECONFIG"
}

find_kubectls() {
  local seen=" " k v
  for k in ${KUBECTLS_ONLY:-$(command -v kubectl || true) "$HOME"/.cache/*/kubectl "$HOME"/.cache/*/bin/kubectl "$HOME"/.cache/*/usr/bin/kubectl \
    ${HANDOVER_KUBECTLS:-}}; do
    [ -n "$k" ] && [ -f "$k" ] && [ -x "$k" ] || continue
    v=$("$k" version --client 2>/dev/null | grep -oE 'v1\.[0-9]+' | head -1) || continue
    case $seen in *" $v "*) continue;; esac
    seen="$seen$v "; echo "$k $v"
  done
}

said() { grep -qE -- "$2" <<<"$(tr '\n' '~' <<<"$1")"; }
fail() { echo "FAIL $V $1"; head -40 <<<"$2"; failures=$((failures + 1)); }
# run NAME PATTERN ARG... : the command works and its output has the pattern (extended, lines joined by '~'); "" for any
run() {
  local name=$1 pattern=$2 out; shift 2
  if ! out=$(timeout 60 "$K" "$@" 2>&1); then fail "$name: kubectl $*" "$out"
  elif ! said "$out" "$pattern"; then fail "$name: kubectl $*: no /$pattern/ in" "$out"; fi
}
# refuse NAME PATTERN ARG... : the command fails and says so
refuse() {
  local name=$1 pattern=$2 out; shift 2
  if out=$(timeout 60 "$K" "$@" 2>&1); then fail "$name: kubectl $* should have failed" "$out"
  elif ! said "$out" "$pattern"; then fail "$name: kubectl $*: no /$pattern/ in" "$out"; fi
}

deployment() { # NAME IMAGE REPLICAS [MORE LABELS]
  cat <<E
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, labels: {app: $1${4:-}}}
spec:
  replicas: $3
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: c, image: "$2", resources: {limits: {memory: 64Mi}}, env: [{name: A, value: "1"}]}
E
}
configmap() { printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: "1"}\n' "$1"; }

reading() {
  run version 'v1\.37\.2\+handover-sim' version
  run namespaces 'default .*kube-system' get namespaces
  run api-resources 'deployments +deploy +(apps/v1|apps) +true +Deployment' api-resources
  run can-i '^yes' auth can-i create deployments
  run apply 'deployment.apps/web created.*configmap/conf created' apply -f "$work/v1.yaml"
  run rollout-status 'successfully rolled out' rollout status deployment/web
  run get 'NAME +READY +UP-TO-DATE +AVAILABLE +AGE~web +2/2 +2 +2 ' get deployment web
  run get-wide 'CONTAINERS +IMAGES +SELECTOR~web .* c +example.com/web:v1 +app=web' get deploy -o wide
  run get-pods 'NAME +READY +STATUS +RESTARTS +AGE~web-[a-z0-9]+-[a-z0-9]{5} +1/1 +Running +0 ' get pods
  run get-pods-wide 'IP +NODE' get pods -o wide
  run get-rs 'NAME +DESIRED +CURRENT +READY +AGE~web-[a-z0-9]+ +2 +2 +2 ' get rs
  run get-all 'pod/web-.*deployment.apps/web' get all
  run get-selector 'web-' get pods -l app=web
  run get-selector-none 'No resources found' get pods -l 'app notin (web)'
  run get-namespaces 'NAMESPACE +NAME.*default +web' get deployments --all-namespaces
  run get-yaml 'apiVersion: apps/v1~kind: Deployment.*image: example.com/web:v1' get deployment web -o yaml
  run get-json '"kind": "Deployment"' get deployment web -o json
  run get-jsonpath '^2~?$' get deployment web -o 'jsonpath={.spec.replicas}'
  run get-labels 'app=web' get deployment web --show-labels
  run get-sorted 'web-.*web-' get pods --sort-by=.metadata.name
  run get-chunks 'web-.*web-' get pods --chunk-size=1
  run get-field 'conf' get configmaps --field-selector metadata.name=conf
  refuse get-none 'deployments.apps "none" not found' get deployment none
  refuse get-kind "the server doesn't have a resource type \"frobs\"" get frobs
  run describe 'Replicas: +2 desired \| 2 updated \| 2 total \| 2 available.*NewReplicaSet: +web-.*ScalingReplicaSet' describe deployment web
  run describe-pod 'Status: +Running' describe pods -l app=web
  run logs 'simulated' logs deployment/web
  run events 'ScalingReplicaSet' get events
  run events-v1 'LAST SEEN +TYPE +REASON.*ScalingReplicaSet' get events.v1.events.k8s.io
  run events-v1-yaml 'apiVersion: events.k8s.io/v1.*note: .*regarding:' get events.v1.events.k8s.io -o yaml
  # what an informer of a current client-go waits for
  run watch-list '"ADDED".*"BOOKMARK".*"k8s.io/initial-events-end":"true"' get --raw \
    '/api/v1/namespaces?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1'
}

rolling() {
  run apply-again 'deployment.apps/web unchanged.*configmap/conf unchanged' apply -f "$work/v1.yaml"
  run apply-v2 'deployment.apps/web configured' apply -f "$work/v2.yaml"
  run wait 'condition met' wait --for=condition=Available deployment/web --timeout=30s
  run rollout-status-v2 'successfully rolled out' rollout status deployment/web
  run history 'REVISION +CHANGE-CAUSE~1 .*~2 ' rollout history deployment/web
  run history-1 'example.com/web:v1' rollout history deployment/web --revision=1
  run set-image 'image updated' set image deployment/web c=example.com/web:v3
  run set-image-seen 'example.com/web:v3' get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}'
  run rollout-status-v3 'successfully rolled out' rollout status deployment/web
  run undo 'rolled back' rollout undo deployment/web
  run undo-seen 'example.com/web:v2' get deployment web -o 'jsonpath={.spec.template.spec.containers[0].image}'
  run pause 'paused' rollout pause deployment/web
  refuse undo-paused 'paused' rollout undo deployment/web --to-revision=1
  refuse restart-paused 'paused' rollout restart deployment/web
  run resume 'resumed' rollout resume deployment/web
  run restart 'restarted' rollout restart deployment/web
  run rollout-status-v4 'successfully rolled out' rollout status deployment/web
  run scale 'scaled' scale deployment/web --replicas=3
  refuse scale-expected 'xpected replicas to be 7' scale deployment/web --replicas=1 --current-replicas=7
}

changing() {
  run annotate 'annotate' annotate deployment web handover.dev/canary-percent=10
  refuse annotate-again 'already has a value' annotate deployment web handover.dev/canary-percent=20
  run annotate-remove 'annotate' annotate deployment web handover.dev/canary-percent-
  run label 'labeled' label deployment web tier=front
  run patch 'patched' patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[{"name":"B","value":"2"}]}]}}}}'
  run patch-merged '[AB] [AB]~?$' get deployment web -o 'jsonpath={.spec.template.spec.containers[0].env[*].name}'
  run patch-json 'patched' patch deployment web --type json -p '[{"op":"test","path":"/spec/replicas","value":3},{"op":"replace","path":"/spec/replicas","value":1}]'
  run patch-merge 'patched' patch configmap conf --type merge -p '{"data":{"b":"2"}}'
  refuse patch-bad 'spec.replicas: Invalid value: -1: must be greater than or equal to 0' patch deployment web -p '{"spec":{"replicas":-1}}'
  "$K" get configmap conf -o yaml >"$work/conf.yaml"; sed -i 's/a: "1"/a: "9"/' "$work/conf.yaml"
  run replace 'configmap/conf replaced' replace -f "$work/conf.yaml"
  refuse replace-stale 'the object has been modified; please apply your changes to the latest version and try again' replace -f "$work/conf.yaml"
  refuse selector 'field is immutable' patch deployment web -p '{"spec":{"selector":{"matchLabels":{"other":"x"}},"template":{"metadata":{"labels":{"other":"x"}}}}}'
  run dry-run 'server dry run' apply -f "$work/v1.yaml" --dry-run=server
  refuse diff 'example.com/web:v1' diff -f "$work/v1.yaml" # fails: there are differences
  run create-f 'created' create -f "$work/made.yaml"
  refuse create-again 'already exists' create -f "$work/made.yaml"
}

creating() {
  run create-configmap 'configmap/cm created' create configmap cm --from-literal=a=b
  run create-configmap-seen '^b~?$' get configmap cm -o 'jsonpath={.data.a}'
  run create-secret 'secret/sec created' create secret generic sec --from-literal=a=b
  run create-secret-seen '^Yg==~?$' get secret sec -o 'jsonpath={.data.a}'
  run create-deployment 'deployment.apps/other created' create deployment other --image=example.com/web:v1
  run create-deployment-seen '^other~?$' get deployment other -o 'jsonpath={.spec.selector.matchLabels.app}'
  run create-namespace 'namespace/ns1 created' create namespace ns1
  run create-sa 'serviceaccount/acc created' create serviceaccount acc -n ns1
  run create-role 'role.rbac.authorization.k8s.io/r created' create role r --verb=get --resource=pods -n ns1
  run delete-namespace 'namespace "ns1" deleted' delete namespace ns1
  run expose 'service/web exposed' expose deployment web --port=80
  run get-service 'web +ClusterIP' get service web
  run wait-pods 'condition met' wait --for=condition=Ready pod -l app=other --timeout=30s
}

applying() { # server-side
  run server-side 'serverside-applied' apply --server-side -f "$work/s1.yaml"
  run server-side-less 'serverside-applied' apply --server-side -f "$work/s2.yaml"
  run server-side-gone '^~?$' get deployment side -o 'jsonpath={.metadata.labels.owner}'
  run server-side-image 'image updated' set image deployment/side c=example.com/web:v3
  refuse server-side-conflict 'conflict with "kubectl' apply --server-side -f "$work/s1.yaml"
  run server-side-force 'serverside-applied' apply --server-side --force-conflicts -f "$work/s1.yaml"
  run server-side-forced 'example.com/web:v1' get deployment side -o 'jsonpath={.spec.template.spec.containers[0].image}'
}

custom() { # types that a definition brings
  run define 'widgets.example.com created' create -f "$work/crd.yaml"
  run define-wait 'condition met' wait --for=condition=Established crd/widgets.example.com
  run define-listed 'widgets +wd +(example.com/v1|example.com) +true +Widget' api-resources
  run widget-apply 'widget.example.com/w created' apply --validate=false -f "$work/widget.yaml"
  run widget-default '^3~?$' get wd w -o 'jsonpath={.spec.size}'
  run widget-pruned '^~?$' get wd w -o 'jsonpath={.spec.siz}'
  refuse widget-bad 'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1' patch widget w --type merge -p '{"spec":{"size":0}}'
  run widget-server-side 'serverside-applied' apply --server-side --field-manager=me -f "$work/widget2.yaml"
  refuse widget-conflict 'conflict with "me"' apply --server-side --field-manager=you -f "$work/widget3.yaml"
  run widget-forced 'serverside-applied' apply --server-side --field-manager=you --force-conflicts -f "$work/widget3.yaml"
  run widget-managers '"manager":"you"' get --raw /apis/example.com/v1/namespaces/default/widgets/w2
  run define-delete 'deleted' delete crd widgets.example.com
  refuse widget-gone "doesn't have a resource type|could not find the requested resource" get widgets
}

strict() { # what kubectl asks the server to validate, since 1.27
  refuse strict-apply 'strict decoding error: unknown field "spec.replica"' apply -f "$work/odd.yaml"
  run strict-warn 'Warning: unknown field "spec.replica".*deployment.apps/odd created' apply --validate=warn -f "$work/odd.yaml"
  run strict-ignore 'deployment.apps/odd (unchanged|configured)' apply --validate=ignore -f "$work/odd.yaml"
  run strict-delete 'deleted' delete deployment odd
  run whoami 'sim' auth whoami
}

watching() { # get -w shows what happens, with a selector
  "$K" get deployments -w -l 'app in (w,web)' >"$work/watch.out" 2>&1 & local pid=$!
  for _ in $(seq 300); do grep -q '^web ' "$work/watch.out" && break; sleep 0.1; done # listed: from here on it sees all
  run watch-create 'created' create -f "$work/w.yaml"
  run watch-status 'successfully rolled out' rollout status deployment/w
  for _ in $(seq 300); do grep -q '^w  *1/1' "$work/watch.out" && break; sleep 0.1; done
  kill $pid 2>/dev/null || true; wait $pid 2>/dev/null || true
  grep -q '^w  *0/1' "$work/watch.out" && grep -q '^w  *1/1' "$work/watch.out" || fail watch "$(cat "$work/watch.out")"
}

deleting() {
  run delete 'deployment.apps "web" deleted' delete deployment web
  run delete-selector 'deleted' delete deployments -l 'app in (other,w,side)'
  for _ in $(seq 300); do [ -z "$("$K" get pods -l app=web -o name)" ] && break; sleep 0.1; done
  run delete-pods-gone 'No resources found' get pods -l app=web
  run delete-all 'deleted' delete configmaps,secrets,services --all
  refuse delete-none 'not found' delete deployment web
}

{ deployment web example.com/web:v1 2; configmap conf; } >"$work/v1.yaml"
{ deployment web example.com/web:v2 2; configmap conf; } >"$work/v2.yaml"
deployment side example.com/web:v1 1 ', owner: me' >"$work/s1.yaml"
deployment side example.com/web:v1 1 >"$work/s2.yaml"
deployment w example.com/web:v1 1 >"$work/w.yaml"
configmap made >"$work/made.yaml"
deployment odd example.com/web:v1 1 | sed 's/replicas: 1/replica: 1/' >"$work/odd.yaml"
cat >"$work/crd.yaml" <<'E'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer, minimum: 1, default: 3}, color: {type: string}}}}
E
widget() { printf 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: %s}\nspec: {%s}\n' "$1" "$2"; }
widget w 'siz: 4' >"$work/widget.yaml"
widget w2 'size: 5' >"$work/widget2.yaml"
widget w2 'size: 6' >"$work/widget3.yaml"
found=$(find_kubectls)
[ -n "$found" ] || { echo "skipped: no kubectl in PATH, in $HOME/.cache or in HANDOVER_KUBECTLS"; exit 77; }
while read -r K V; do
  echo "kubectl $V ($K)"
  start_server "$@"
  for part in reading rolling changing creating applying custom $([[ ! $V =~ ^v1\.(2[7-9]|[3-9][0-9])$ ]] || echo strict) watching deleting; do $part; done
  stop_server
done <<<"$found"
[ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
echo "all passed"
