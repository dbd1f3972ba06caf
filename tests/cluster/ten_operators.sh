# Ten operators on controller-runtime at once, for the stories of what becomes of their next versions. Sourced after operators.sh.
# Each replica leads by a Lease of its own, so all of them work, and a canary does what a pod of stable does. What both versions have in
# common comes from the Deployment's environment, what a version changes from its image (operators/controller-runtime/conf.go).
OPERATOR_IMAGE=localhost/controller-runtime
ten=(hang loop idle leak panic write slow late one outage)
# KEY=VALUE... of one of them, over what all have; a KEY= takes that away: of its operator, of its annotations
declare -A SETTINGS=([write]='writes=' [one]='controllers=10 rate=0.1' [outage]='backend=backend'
  [late]='rate=3') # so much work that one without errors passes early
declare -A NOTES=([write]='signals=-latency') # three writes take three times as long
declare -A before=()                          # the pods of each, in version v1

last_of() { # KEY=VALUE... : each key with its last value, a line each
  local -A value=(); local pair
  for pair; do value[${pair%%=*}]=${pair#*=}; done
  for pair in "${!value[@]}"; do [ -z "${value[$pair]}" ] || echo "$pair=${value[$pair]}"; done
}
operator() { # NAME ANNOTATION=VALUE... : it reconciles the widgets that are for all, and those that are for it alone
  local name=$1 pair ENV settings notes; shift
  # shellcheck disable=SC2086 # words
  mapfile -t settings < <(last_of metrics=http rate=0.5 writes=0 ${SETTINGS[$name]:-})
  # shellcheck disable=SC2086
  mapfile -t notes < <(last_of canary-percent=50 soak=40s max-error-rate=5% quiet=1s metrics=:8080/metrics "$@" ${NOTES[$name]:-})
  ENV="[{name: OPERATOR_LEASE_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: SELECTOR, value: \"for in (all,$name)\"}"
  for pair in "${settings[@]}"; do ENV+=", {name: OPERATOR_$(tr a-z- A-Z_ <<<"${pair%%=*}"), value: \"${pair#*=}\"}"; done
  ENV+=']'
  account "$name"
  allowed "$name" widgets '{apiGroups: [example.com], resources: [widgets, widgets/status], verbs: [get, list, watch, patch, update]}'
  REPLICAS=1 MEMORY=128Mi deployment "$name" controller-runtime:v1 '{path: /readyz, port: 8081}' '[]' "${notes[@]}"
}
operators() { # ANNOTATION=VALUE... : all ten in version v1, adopted, with something done already
  local name
  operator_controller_runtime_image v1
  for name in "${ten[@]}"; do operator "$name" "$@"; echo ---; done | in_cluster kubectl apply -f - >/dev/null
  for name in "${ten[@]}"; do adopted "$name"; before[$name]=$(pods_of "$name"); done
  until_true 60 "v1 has worked for a while" has_worked
}
has_worked() { local n; n=$(field widget/w1 '{.status.reconciles}') && [ "${n:-0}" -ge 200 ]; } # of all widgets, says the one that writes
widget() { # NAME FOR SPEC
  printf 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: %s, namespace: %s, labels: {for: %s}}\nspec: %s\n' "$1" "$NS" "$2" "$3" | in_cluster kubectl apply -f - >/dev/null
}
backend_down() { widget backend outage "{down: $1}"; } # true: every reconcile of `outage` fails from that moment on, in every version
version() { # NAME TAG SETTING... : an update
  local name=$1 tag=$2; shift 2
  operator_controller_runtime_image "$tag" "$@"
  k set image "deployment/$name" "operator=$OPERATOR_IMAGE:$tag" >/dev/null
}
held_for() { [ "$(state "$1" '.phase + " " + (.hold // "")')" = "Soaking $2" ]; } # NAME HOLD
soaks() { phase_is "$1" Soaking; }
untouched() { [ "$(pods_of "$1")" = "${before[$1]}" ] || fail "stable pods of $1 changed: before ${before[$1]}, after $(pods_of "$1")"; }
