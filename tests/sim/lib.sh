# What the stories of tests/sim share: an embedded API server, instances of Handover, requests with curl, waiting for events.
# Everything that was started is stopped by its id; logs are shown when a story fails. KEEP=1 leaves them in their folder.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
HANDOVER=${HANDOVER:-$top/build/handover} HOST_DIR=${HOST_DIR:-$top/build/tests/host}
[ -x "$HANDOVER" ] || { echo "no program $HANDOVER: build it, or say HANDOVER=PATH" >&2; exit 1; }
for tool in curl jq; do command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }; done
dir=$(mktemp -d) pids=() server=
export KUBECONFIG=/dev/null POD_UID=
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent; unset NOTIFY_SOCKET # the host of the tests is not that of a story

finish() {
  local rc=$? p i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do # the server last: instances release their lease on it
    p=${pids[i]}; kill "$p" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$p" 2>/dev/null || true
  done
  if grep -lE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$dir"/*.log 2>/dev/null; then echo "a sanitizer reported"; rc=1; fi
  [ $rc = 0 ] || [ $rc = 77 ] || { last_words; for f in "$dir"/*.log; do echo "--- $f"; tail -n 40 "$f"; done; }
  if [ -n "${KEEP:-}" ]; then echo "logs and state: $dir"; else rm -rf "$dir"; fi
  exit $rc
}
trap finish EXIT
. "$top/tests/wait.sh"
last_words() { echo "state $(cat "$dir/last" 2>/dev/null)"; }
until_true() { within "$@"; }

sim() { # [ARGS] : starts the embedded API server
  "$HANDOVER" sim --listen 127.0.0.1:0 "$@" >"$dir/sim.log" 2>&1 & pids+=($!)
  until_true 10 "the server listens" grep -q listening "$dir/sim.log"
  server=$(grep -oE 'http://[0-9.:]+' "$dir/sim.log" | head -1)
}
handover() { # NAME [ARGS] : an instance with short lease times; its pid is in $pid
  local name=$1; shift
  POD_NAME=$name "$HANDOVER" run --server="$server" --lease-namespace=default --lease-duration=3s --renew-deadline=2s \
    --retry-period=500ms --scrape-interval=250ms --grace=10s --admin=127.0.0.1:0 --log-format=json "$@" >"$dir/$name.log" 2>&1 &
  pid=$!; pids+=("$pid"); eval "pid_${name//-/_}=$pid"
}
api() { # METHOD PATH [BODY [TYPE]]
  curl -sS -f -A story -X "$1" -H "Content-Type: ${4:-application/json}" ${3:+--data-binary "$3"} "$server$2"
}
logind() { # [DELAY_USEC] : a bus with the stand-in for logind, which reads commands from descriptor 9; see tests/host/logind.c
  command -v dbus-daemon >/dev/null || { echo "SKIPPED: dbus-daemon is not installed"; exit 77; }
  export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$dir/bus
  dbus-daemon --config-file="$top/tests/host/bus.conf" --address="$DBUS_SYSTEM_BUS_ADDRESS" --nofork --nopidfile >"$dir/bus.log" 2>&1 & pid_bus=$!; pids+=("$pid_bus")
  until_true 10 "the bus listens" test -S "$dir/bus"
  mkfifo "$dir/logind.in"
  "$HOST_DIR/logind" "$@" <"$dir/logind.in" >"$dir/logind.log" 2>&1 & pids+=($!)
  exec 9>"$dir/logind.in"; until_true 10 "logind is there" grep -q ready "$dir/logind.log"
}
manager() { # a stand-in for the service manager; what it hears is in manager.log; see tests/host/manager.c
  mkfifo "$dir/manager.in"
  "$HOST_DIR/manager" "$dir/notify" <"$dir/manager.in" >"$dir/manager.log" 2>&1 & pids+=($!)
  exec 8>"$dir/manager.in"; until_true 10 "the manager listens" grep -q listening "$dir/manager.log"
}
fault() { api POST /sim/fault "$1" >/dev/null; }
ours='"userAgent":"handover*"' # a fault for Handover's requests only, not for the story's own
script() { api POST /sim/script "$1" >/dev/null; }
deploy=/apis/apps/v1/namespaces/default/deployments
target() { # IMAGE [ANNOTATION=VALUE...]
  local image=$1 notes; shift
  [ $# -gt 0 ] || set -- canary-percent=50 soak=3s max-error-rate=5% quiet=1s
  notes=$(for a in "$@"; do jq -n --arg k "handover.dev/${a%%=*}" --arg v "${a#*=}" '{($k): $v}'; done | jq -s add)
  api POST "$deploy" "$(jq -n --argjson notes "$notes" --arg image "$image" '{apiVersion:"apps/v1",kind:"Deployment",
    metadata:{name:"op",annotations:$notes},spec:{replicas:2,selector:{matchLabels:{app:"op"}},template:{metadata:{labels:{app:"op"}},
    spec:{containers:[{name:"operator",image:$image}]}}}}')" >/dev/null
}
# A state whose Deployment is not there: the one thing for which a reconcile reads something, the Deployment. slow_read makes that take long.
orphan() {
  api POST /api/v1/namespaces/default/configmaps '{"metadata":{"name":"ghost-handover","labels":{"app.kubernetes.io/managed-by":"handover"}},"data":{}}' >/dev/null
}
slow_read() { fault "{\"match\":{$ours,\"method\":\"GET\",\"path\":\"*/deployments/ghost\"},\"count\":-1,\"latencyMs\":${1:-60000}}"; }
set_image() {
  api PATCH "$deploy/op" "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"operator\",\"image\":\"$1\"}]}}}}" \
    application/strategic-merge-patch+json >/dev/null
}
annotate() { api PATCH "$deploy/op" "{\"metadata\":{\"annotations\":{\"handover.dev/$1\":${2:-null}}}}" application/merge-patch+json >/dev/null; }
state() { api GET /api/v1/namespaces/default/configmaps/op-handover | jq -r .data.state >"$dir/last"; jq -r "$1" "$dir/last"; }
phase_is() { [ "$(state .phase)" = "$1" ]; }
wait_phase() { until_true "${2:-40}" "phase $1" phase_is "$1"; }
ended() { [ "$(state '.history[0].result')" = "$1" ]; }
pods() { api GET "/api/v1/namespaces/default/pods?labelSelector=app%3Dop,handover.dev%2Ftrack$1canary" | jq -r '.items[] | "\(.metadata.uid) \(.status.containerStatuses[0].restartCount // 0)"' | sort; }
stable_pods() { pods '!%3D'; }
no_canary() { local c; c=$(pods %3D) && [ -z "$c" ]; }
some_canary() { [ -n "$(pods %3D)" ]; }
runs() { # IMAGE : all of stable runs it
  api GET "/api/v1/namespaces/default/pods?labelSelector=app%3Dop,handover.dev%2Ftrack!%3Dcanary" |
    jq -e --arg i "$1" '[.items[].spec.containers[0].image] | length == 2 and all(. == $i)' >/dev/null
}
paused() { api GET "$deploy/op" | jq -e '.spec.paused == true' >/dev/null; }
events() { api GET /api/v1/namespaces/default/events | jq -r '.items[] | "\(.reason) \(.message)"'; }
leader() { api GET /apis/coordination.k8s.io/v1/namespaces/default/leases/handover | jq -r '.spec.holderIdentity // ""' | sed 's/_.*//'; }
checkpoint() { api GET /apis/coordination.k8s.io/v1/namespaces/default/leases/handover | jq -r '.metadata.annotations["handover.dev/checkpoint"] // ""'; }
leads() { [ "$(leader)" = "$1" ]; }
log_says() { grep -qE "$2" "$dir/$1.log"; }
adopted() { wait_phase Stable 20; paused || fail "not paused after the adoption"; }
promoted() { # IMAGE
  until_true "${2:-60}" "$1 is in service" runs "$1"
  wait_phase Stable 30; ended promoted || fail "the history says $(state '.history[0].result')"
  until_true 10 "the canary is gone" no_canary # the state is written before its effect
  paused || fail "not paused again"
}
