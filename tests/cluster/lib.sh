# What the stories share. Sourced by run.sh's children; `NS` is the story's own namespace, `story` its name.
# A story fails with `fail "why"`; everything it looks at is read from the API server, never from Handover's own words alone.

. ./api.sh # run.sh and its children work in this folder
k() { kubectl_in "$NS" "$@"; }
skip() { echo "$*" >&2; exit 77; } # this machine cannot run the story
note() { echo "  $*"; }

# served RESOURCE.GROUP | served WHAT MINOR : else the story is skipped; a cluster of this year has it
served() {
  if [ $# = 2 ]; then [ "${CLUSTER_MINOR:-99}" -ge "$2" ] || skip "Kubernetes 1.$CLUSTER_MINOR has no $1, which came with 1.$2"; return 0; fi
  in_cluster kubectl api-resources -o name | has -x "$1" || skip "this API server has no $1"
}

. ../wait.sh
# until_true: within(), for seconds of a quiet machine: a busy one gets PATIENCE times as long. Where the time itself is what is to be
# proved, within() stands.
until_true() { local seconds=$1; shift; within $((seconds * ${PATIENCE:-3})) "$@"; }
last_words() { echo; k get deploy,rs,pods -o wide 2>&1; k get configmap "${target:-op}-handover" -o jsonpath='{.data}' 2>&1; echo; k get events --sort-by=.metadata.creationTimestamp 2>&1 | tail -8; }

# manifest NAME IMAGE [ANNOTATION=VALUE ...] : a target as a user would write it; MEMORY, REPLICAS, RESTRICTED from the environment
manifest() {
  local name=$1 image=$2 a of_pod='' of_container=''; shift 2
  if [ -n "${RESTRICTED:-}" ]; then # as PodSecurity's level of that name asks for
    of_pod='securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}'
    of_container='securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}'
  fi
  cat <<EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $name
  namespace: $NS
  annotations:
$(for a in "$@"; do printf '    handover.dev/%s: "%s"\n' "${a%%=*}" "${a#*=}"; done)
spec:
  replicas: ${REPLICAS:-2}
  selector: {matchLabels: {app: $name}}
  template:
    metadata: {labels: {app: $name}}
    spec:
      terminationGracePeriodSeconds: 5
      $of_pod
      containers:
      - name: operator
        image: ${OPERATOR_IMAGE:-localhost/operator}:$image
        imagePullPolicy: IfNotPresent
        $of_container
        env: [{name: BIG, value: "9007199254740993"}]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: ${PROBE_SECONDS:-1}}
        resources: {limits: {memory: ${MEMORY:-64Mi}}}
EOF
}
# Quick ones for the stories: a soak of seconds, judged by a fixed tolerated rate.
quick=(canary-percent=50 soak=8s min-events=10 max-error-rate=5% quiet=1s)
apply() { manifest "$@" | k apply -f - >/dev/null; }
set_image() { k set image "deployment/$1" "operator=${OPERATOR_IMAGE:-localhost/operator}:$2" >/dev/null; }

field() { k get "$1" -o "jsonpath=$2"; }
state() { field "configmap/$1-handover" '{.data.state}' | jq -r "$2"; } # state NAME JQ
phase() { state "$1" .phase; }
phase_is() { [ "$(phase "$1")" = "$2" ]; }
wait_phase() { target=$1; until_true "${3:-60}" "$1 in phase $2 (is $(phase "$1" 2>/dev/null))" phase_is "$1" "$2"; }
paused() { [ "$(field "deployment/$1" '{.spec.paused}')" = true ]; }
not_paused() { local p; p=$(k get deployment "$1" -o json) && jq -e '.spec.paused != true' <<<"$p" >/dev/null; } # an unread object is no answer
# A kubelet takes its time with pods that have ended: their sandbox is removed by a sweep every minute, and only then, at the
# next tick of 10 s, the object. A pod that is deleted while it is being started ("cannot find volume ... to mount") goes that
# way as a rule. So: a pod that is marked for deletion has been stopped by its deleter, it has ended when no container of
# it runs any more (the grace is 5 s), and its object is gone within a minute and a half, which proves nothing further.
LIVING='select(.metadata.deletionTimestamp == null or any(.status.containerStatuses[]?; .state.running))'
image_is() { # NAME IMAGE : every pod of the target that has not ended runs it, and as many as wanted are ready
  local images; images=$(k get pods -l "app=$1" -o json | jq -r ".items[] | $LIVING | .spec.containers[0].image" | sort -u)
  [ "$images" = "${OPERATOR_IMAGE:-localhost/operator}:$2" ] && [ "$(field "deployment/$1" '{.status.readyReplicas}')" = "$(field "deployment/$1" '{.spec.replicas}')" ]
}
# The pods of the stable track with their restarts: what must not change under a failing canary. Those that are on their way out, of the
# rollout before, are not among them.
pods_of() { k get pods -l "app=$1,handover.dev/track!=canary" -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null) | "\(.metadata.uid) \(.status.containerStatuses[0].restartCount)"' | sort; }
same_pods() { # NAME WHAT pods_of SAID
  local now; now=$(pods_of "$1")
  [ "$now" = "$2" ] && return
  k get pods -l "app=$1" -o json | jq -c '.items[] | [.metadata.name, .metadata.uid, .metadata.creationTimestamp, .metadata.deletionTimestamp, .status.phase, .status.reason, (.status.containerStatuses[0] | .restartCount, .lastState, .state)]'
  fail "the pods of stable changed: they were ${2:-none}, they are ${now:-none}"
}
canary_pods() { k get pods -l "app=$1,handover.dev/track=canary" -o json; }
canaries() { canary_pods "$1" | jq -r '.items[] | select(.metadata.deletionTimestamp == null) | .metadata.name'; }
some_canary() { [ -n "$(canaries "$1")" ]; }
# The canary is taken away: no ReplicaSet of it wants a pod, every pod of it is marked for deletion.
no_canary() {
  local c rs
  c=$(canaries "$1") && [ -z "$c" ] && rs=$(k get rs -o json) &&
    jq -e --arg n "$1-canary-" '[.items[] | select(.metadata.name | startswith($n)) | .spec.replicas] | (add // 0) == 0' <<<"$rs"
} >/dev/null
canary_ended() { local p; p=$(canary_pods "$1") && jq -e "[.items[] | $LIVING] == []" <<<"$p" >/dev/null; } # none of it works any more
canary_forgotten() { local p; p=$(canary_pods "$1") && jq -e '.items == []' <<<"$p" >/dev/null; }
canary_gone() { until_true "${2:-20}" "the canary is taken away" no_canary "$1"; until_true 40 "the canary's containers have ended" canary_ended "$1"; }
adopted() { wait_phase "$1" "${STABLE_PHASE:-Stable}" 60; until_true 10 "$1 paused by Handover" paused "$1"; }
event_seen() { k get events -o json | jq -r '.items[] | .reason + " " + .message' | has -E "$1"; }
# reapplied [OPTION of kubectl apply...] : a tool applies the manifest of `op` again every few seconds, with a new image: the rollout goes on.
reapplied() {
  local before applied again
  manifest op v1 "${quick[@]}" | k apply "$@" -f - >/dev/null; adopted op; before=$(pods_of op)
  applied=$(mktemp); ( while :; do if manifest op v2 "${quick[@]}" | k apply "$@" -f -; then echo ok; else echo failed; fi >>"$applied"; sleep 5; done ) >/dev/null 2>&1 & again=$!
  # shellcheck disable=SC2064 # the process of now
  trap "kill $again 2>/dev/null || true" EXIT
  until_true 30 "a canary pod" some_canary op
  [ "$(pods_of op)" = "$before" ] || fail "stable pods changed before the promotion"
  until_true 120 "every pod runs v2" image_is op v2
  wait_phase op Stable 30; paused op || fail "not paused again"
  kill "$again" 2>/dev/null || true; trap - EXIT
  [ "$(grep -c ok "$applied")" -ge 3 ] || fail "the manifest was applied $(grep -c ok "$applied") times only"
  ! grep -q failed "$applied" || fail "an apply was refused"
}
leader() { kubectl_in handover-system get lease handover -o 'jsonpath={.spec.holderIdentity}'; }

# deploy_handover [JQ] : Handover as its users install it, its Deployment changed by a jq filter; with the debug log, which says
# when a reconcile begins and ends, with a token for pages whose certificate nobody can verify, as operators' own are by default, and with leave to ask
# a check at the node's address. Waits until it is rolled out.
CHECK_HOST=10.200.0.1:9099
deploy_handover() {
  local manifests=$TOP/deploy/manifests build= # a cluster that an earlier run kept has another build under the same image name
  [ ! -f "$HANDOVER_BIN" ] || build=$(sha256sum <"$HANDOVER_BIN" | cut -c1-16)
  in_cluster kubectl apply -f "$manifests/00-namespace.yaml" -f "$manifests/10-rbac.yaml" -f "$manifests/12-objects.yaml" -f "$manifests/15-metrics-account.yaml" -f "$manifests/16-page.yaml" >/dev/null
  sed "s|image: handover:dev|image: ${HANDOVER_IMAGE:-localhost/handover:test}|" "$manifests/20-deployment.yaml" |
    in_cluster kubectl create --dry-run=client -o json -f - |
    jq ".spec.template.metadata.annotations.build = \"$build\" | .spec.template.spec.containers[0].args += [\"--log-level=debug\", \"--metrics-token-insecure\", \"--check-hosts=http://$CHECK_HOST\"] | ${1:-.}" | in_cluster kubectl apply -f - >/dev/null
  in_cluster kubectl -n handover-system rollout status deployment/handover --timeout=180s >/dev/null
}
