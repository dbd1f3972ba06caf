# Operators by others as targets: their images, and their manifests as a user would write them. Sourced by stories, after lib.sh.
# The stories' own, ./operators/plain, is made by run.sh; what is here takes part in elections, writes, and has its own metric names.
# image_of NAME TAG FILE=PATH... : an image localhost/NAME:TAG on every node, of files alone; the first is what it runs.

[ -n "${OWN_CLUSTER:-}" ] || skip "this cluster's nodes cannot be given images of ours"

image_of() { # NAME TAG FILE=PATH... (PATH in the image; an empty FILE: stdin)
  local name=$1 tag=$2 root f entry=; root=$(mktemp -d); shift 2
  for f in "$@"; do
    mkdir -p "$(dirname "$root${f#*=}")"
    if [ -n "${f%%=*}" ]; then install -m 755 "${f%%=*}" "$root${f#*=}"; else install -m 644 /dev/stdin "$root${f#*=}"; fi
    entry=${entry:-${f#*=}}
  done
  ./cluster.sh load "localhost/$name:$tag" "$root" "$entry"
  rm -rf "$root"
}
# have_operator NAME : sets operator_dir; the story is skipped with the reason where its module cannot be had
have_operator() {
  local log; log=$(mktemp)
  operator_dir=$(operators/build.sh "$1" 2>"$log") || { tail -n 30 "$log"; skip "$(tail -n 1 "$log")"; }
  rm -f "$log"
}
# have_program NAME : sets program, a part of the Kubernetes that runs here, as a file for an image
have_program() {
  program=$(cat "$CLUSTER_DIR/bin")/$1
  [ -x "$program" ] || skip "the programs of this cluster have no $1"
  [ "$CLUSTER_MINOR" -ge 25 ] || skip "Kubernetes 1.$CLUSTER_MINOR reads no configuration of $1 as these stories write it"
}

annotations() { local a; for a in "$@"; do printf '    handover.dev/%s: %s\n' "${a%%=*}" "$(jq -Rn --arg v "${a#*=}" '$v')"; done; }
# allowed ACCOUNT WHAT RULE... : a Role ACCOUNT-WHAT of these rules (YAML) in the story's namespace, bound to that ServiceAccount
allowed() {
  local name=$1-$2 account=$1; shift 2
  cat <<EOF
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: $name, namespace: $NS}
rules:
$(printf -- '- %s\n' "$@")
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: $name, namespace: $NS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: $name}
subjects: [{kind: ServiceAccount, name: $account, namespace: $NS}]
---
EOF
}
# account NAME CLUSTERROLE... : a ServiceAccount that may elect a leader in its own namespace, and what these roles allow everywhere
account() {
  local name=$1 role; shift
  cat <<EOF
apiVersion: v1
kind: ServiceAccount
metadata: {name: $name, namespace: $NS}
---
EOF
  allowed "$name" election '{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, update, patch, delete]}' \
    '{apiGroups: ["", events.k8s.io], resources: [events], verbs: [create, patch]}'
  for role in "$@"; do
    cat <<EOF
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "$NS:$name:$role"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "$role"}
subjects: [{kind: ServiceAccount, name: $name, namespace: $NS}]
---
EOF
  done
}
# deployment NAME IMAGE PROBE ARGS ANNOTATION=VALUE... : PROBE is the readiness probe's httpGet, ARGS a list, both as YAML;
# REPLICAS, ENV (a list as YAML), MEMORY (its limit) from the environment
deployment() {
  local name=$1 image=$2 probe=$3 args=$4; shift 4
  cat <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $name
  namespace: $NS
  annotations:
$(annotations "$@")
spec:
  replicas: ${REPLICAS:-2}
  selector: {matchLabels: {app: $name}}
  template:
    metadata: {labels: {app: $name}}
    spec:
      serviceAccountName: $name
      terminationGracePeriodSeconds: 5
      containers:
      - name: operator
        image: localhost/$image
        imagePullPolicy: IfNotPresent
        args: $args
        env: ${ENV:-[]}
        resources: {limits: {${MEMORY:+memory: $MEMORY}}}
        readinessProbe: {httpGet: $probe, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: {drop: [ALL]}}
EOF
}

# ---- an operator on controller-runtime ----
# operator_controller_runtime_image TAG [KEY=VALUE...] : settings of operators/controller-runtime/conf.go
operator_controller_runtime_image() {
  local tag=$1; shift
  have_operator controller-runtime
  printf '%s\n' "image=$tag" "$@" | image_of controller-runtime "$tag" "$operator_dir/operator=/operator" =/operator.conf
}
widgets() { # COUNT : the kind that it serves, and so many of them; SIZE, from the environment, in their spec
  local i
  in_cluster kubectl apply --server-side --force-conflicts -f - >/dev/null <<EOF
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
EOF
  in_cluster kubectl wait --for=condition=Established crd/widgets.example.com --timeout=30s >/dev/null
  for i in $(seq "$1"); do
    printf 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w%s, namespace: %s, labels: {for: all, shard: "%s"}}\nspec: {size: %s}\n---\n' "$i" "$NS" "$((i % 10))" "${SIZE:-1}"
  done | in_cluster kubectl apply -f - >/dev/null
}
# Its metrics are guarded, by a certificate that it signs itself: what controller-runtime does unless told otherwise.
operator_controller_runtime() { # NAME TAG [ANNOTATION=VALUE...]
  local name=$1 tag=$2; shift 2
  account "$name" system:auth-delegator
  allowed "$name" widgets '{apiGroups: [example.com], resources: [widgets, widgets/status], verbs: [get, list, watch, patch, update]}'
  deployment "$name" "controller-runtime:$tag" '{path: /readyz, port: 8081}' '[]' metrics=https+insecure://:8443/metrics "$@"
}

# ---- parts of Kubernetes itself, a second time, with a Lease of their own in the story's namespace ----
operator_kube_scheduler_image() { # TAG : it serves pods that ask for the scheduler `op`
  have_program kube-scheduler
  image_of kube-scheduler "$1" "$program=/kube-scheduler" =/config.yaml <<EOF
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles: [{schedulerName: op}]
# $1
EOF
}
operator_kube_scheduler() { # NAME TAG [ANNOTATION=VALUE...]
  local name=$1 tag=$2; shift 2
  account "$name" system:kube-scheduler system:volume-scheduler system:auth-delegator
  authentication_reader "$name"
  deployment "$name" "kube-scheduler:$tag" '{path: /healthz, port: 10259, scheme: HTTPS}' \
    "[--config=/config.yaml, --leader-elect-resource-namespace=$NS, --leader-elect-resource-name=$name]" metrics=https+insecure://:10259/metrics \
    'errors=scheduler_schedule_attempts_total{result="error"}' total=scheduler_schedule_attempts_total "$@"
}
operator_kube_controller_manager_image() { # TAG
  have_program kube-controller-manager
  image_of kube-controller-manager "$1" "$program=/kube-controller-manager" =/version <<<"$1"
}
# One controller alone: it deletes Jobs after their end. client-go's queue counts no errors, only what was put back, be it to wait for
# its time: tolerate half of that.
operator_kube_controller_manager() { # NAME TAG [ANNOTATION=VALUE...]
  local name=$1 tag=$2; shift 2
  account "$name" system:kube-controller-manager system:controller:ttl-after-finished-controller system:auth-delegator
  authentication_reader "$name"
  deployment "$name" "kube-controller-manager:$tag" '{path: /healthz, port: 10257, scheme: HTTPS}' \
    "[--controllers=ttl-after-finished-controller, --leader-elect-resource-namespace=$NS, --leader-elect-resource-name=$name]" \
    metrics=https+insecure://:10257/metrics 'errors=workqueue_retries_total{name="ttl_jobs_to_delete"}' \
    'total=workqueue_work_duration_seconds_count{name="ttl_jobs_to_delete"}' "$@"
}
authentication_reader() { # NAME : what a server of Kubernetes reads about its clients' certificates
  cat <<EOF
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: "$NS:$1:authentication-reader", namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader}
subjects: [{kind: ServiceAccount, name: $1, namespace: $NS}]
---
EOF
}

# ---- prometheus-operator: no election, every replica does all the work; metric names of its own ----
operator_prometheus_image() { # TAG
  have_operator prometheus-operator
  image_of prometheus-operator "$1" "$operator_dir/operator=/operator" =/version <<<"$1"
  # too big for the annotation of a client-side apply
  in_cluster kubectl apply --server-side --force-conflicts -f "$operator_dir/crds" >/dev/null
  in_cluster kubectl apply -f "$operator_dir/rbac/prometheus-operator-cluster-role.yaml" >/dev/null
}
operator_prometheus() { # NAME TAG [ANNOTATION=VALUE...] ; ARGS: more arguments, each with a comma before it
  local name=$1 tag=$2; shift 2
  account "$name" prometheus-operator
  deployment "$name" "prometheus-operator:$tag" '{path: /healthz, port: 8080}' "[--namespaces=$NS${ARGS:-}]" metrics=:8080/metrics \
    errors=prometheus_operator_reconcile_errors_total total=prometheus_operator_reconcile_operations_total "$@"
}

# ---- elections as they are seen from outside ----
holder() { field "lease/$1" '{.spec.holderIdentity}'; } # LEASE : a pod's name, an underscore, something random
held_by() { [[ $(holder "$1") == "$2"* ]]; }           # LEASE PREFIX
# watch_holders LEASE FILE : every holder that the Lease ever names, in its order, until the story ends
watch_holders() {
  k get lease "$1" -w -o 'jsonpath={.spec.holderIdentity}{"\n"}' >"$2" 2>/dev/null &
  holders_pid=$!; trap 'kill $holders_pid 2>/dev/null || true' EXIT
}
status() { field "deployment/$1" '{.metadata.annotations.handover\.dev/status}'; }
says() { status "$1" | has -E "$2"; } # NAME REGEX
user_command() { k annotate --overwrite "deployment/$1" "handover.dev/$2=$(state "$1" .hash)" >/dev/null; } # NAME COMMAND
