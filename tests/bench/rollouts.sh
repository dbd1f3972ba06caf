#!/usr/bin/env bash
# The rollouts bench: Handover on the embedded API server with COUNT=10000 targets, of which ROLL=1000 get a new image at once: eight of ten by
# pods (mode replicas), every tenth an operator that elects a leader (mode leader), every tenth one with a label selector and OBJECTS=50 objects (mode
# objects); every other new version fails at each reconcile. Prints NAME VALUE UNIT. Aims: less than 100 MiB, less than one core; from the write that
# says a version failed to the canary at zero one round trip, 50 ms for 99 of 100. What one round trip of a client takes at that time is measured beside it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
out=$(mktemp -d) missed=0 COUNT=${COUNT:-10000} ROLL=${ROLL:-1000} OBJECTS=${OBJECTS:-50} WATCHED=${WATCHED:-90}
. "$here/lib/measure.sh"
say() { echo "rollouts: $*" >&2; }
trap 'tidy' EXIT
ulimit -n "$(ulimit -Hn)"
build_here rollouts handover handover-sim

# Targets in namespaces of a hundred; the first ROLL of them roll out.
objects() {
  jq -nc '{apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: {name: "widgets.example.com"}, spec: {group: "example.com", scope: "Namespaced",
    names: {kind: "Widget", listKind: "WidgetList", plural: "widgets", singular: "widget"},
    versions: [{name: "v1", served: true, storage: true, schema: {openAPIV3Schema: {type: "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}'
  jq -nc --argjson n "$COUNT" --argjson roll "$ROLL" --argjson objects "$OBJECTS" 'range($n) | . as $i
    | (if $i >= $roll then "works" elif $i % 10 == 9 then "elects" elif $i % 10 == 8 then "selects" else "works" end) as $kind | "op-\($i)" as $name | "ns-\($i / 100 | floor)" as $ns
    | {apiVersion: "apps/v1", kind: "Deployment",
       metadata: {name: $name, namespace: $ns,
         annotations: ({"handover.dev/canary-percent": "50", "handover.dev/soak": "60s", "handover.dev/max-error-rate": "5%", "handover.dev/quiet": "1s"}
           + if $kind == "selects" then {"handover.dev/mode": "objects", "handover.dev/objects": "widgets.v1.example.com namespace=\($ns) selector=for=\($name)"} else {} end)},
       spec: {replicas: (if $i < $roll then 2 else 1 end), selector: {matchLabels: {app: $name}},
         template: {metadata: {labels: {app: $name}},
           spec: {containers: [{name: "operator", image: "\($kind)-\($i):v1"}
             + if $kind == "selects" then {args: ["--selector=for=\($name),handover.dev/track notin (canary,moving)"]} else {} end]}}}},
      (select($kind == "selects") | range($objects) | {apiVersion: "example.com/v1", kind: "Widget", metadata: {name: "\($name)-\(.)", namespace: $ns, labels: {"for": $name}}})'
}
objects >"$out/objects"
"$BUILD/handover" sim --listen 127.0.0.1:0 --load "$out/objects" --script '{"image":"*","reconcilesPerSecond":2}' --script '{"image":"works-*:bad","errorRate":1}' \
  --script '{"image":"selects-*:bad","errorRate":1}' --script '{"image":"elects-*","leaderElection":true}' --script '{"image":"elects-*:bad","leaderElection":true,"errorRate":1}' >"$out/sim.log" 2>&1 & pid[sim]=$!
for ((i = 0; i < 600; i++)); do ! grep -q listening "$out/sim.log" || break; sleep 0.2; done
server=$(grep -oE 'http://[0-9.:]+' "$out/sim.log" | head -n 1); port=${server##*:}
[ -n "$server" ] || { cat "$out/sim.log" >&2; exit 1; }
POD_NAME=bench "$BUILD/handover" run --server="$server" --lease-namespace=default --admin=127.0.0.1:9398 --log-format=json >"$out/log" 2>&1 & pid[handover]=$!
page() { curl -sf http://127.0.0.1:9398/metrics || true; }
in_phase() { page | sed -n "s/^handover_targets{phase=\"$1\"} //p"; }
requests() { page | sed -nE 's/^rest_client_requests_total\{.*\} ([0-9.e+]+)$/\1/p' | awk '{ n += $1 } END { print n + 0 }'; }
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/${pid[handover]}/stat"; }
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
began=$(now_ms)
until [ "$(in_phase Stable)" = "$COUNT" ]; do
  kill -0 "${pid[handover]}" || { tail -n 5 "$out/log" >&2; exit 1; }
  [ $(($(now_ms) - began)) -lt "${PATIENCE_MS:-900000}" ] || { say "$(in_phase Stable) of $COUNT adopted"; exit 1; }
  sleep 1
done
say "$COUNT targets are adopted after $((($(now_ms) - began) / 1000)) s; $ROLL get a new image"
echo "adoption_s $((($(now_ms) - began) / 1000)) s"
echo "rest_rss_mib $(($(memory_kib "${pid[handover]}" VmRSS) / 1024)) MiB"

# What becomes of the canaries, as a watch sees it: the time, the name, how many replicas. The watch ends with the server.
jq --unbuffered -r 'select(.object.metadata.name | test("-canary-")) | "\(now * 1000 | floor) \(.object.metadata.name) \(.object.spec.replicas)"' \
  < <(curl -sN "$server/apis/apps/v1/replicasets?watch=true") >"$out/canaries" & pid[watch]=$!
sleep 2
exec 7<>"/dev/tcp/127.0.0.1/$port"
write_image() { # NUMBER : with the time before it in $out/images
  local i=$1 tag=v2 kind=works body length line
  [ $((i % 2)) = 0 ] || tag=bad
  [ $((i % 10)) != 9 ] || { kind=elects; [ $((i % 20)) = 9 ] || tag=v2; }
  [ $((i % 10)) != 8 ] || { kind=selects; [ $((i % 20)) != 8 ] || tag=bad; }
  body="{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"operator\",\"image\":\"$kind-$i:$tag\"}]}}}}"
  echo "$((${EPOCHREALTIME/./} / 1000)) op-$i" >>"$out/images"
  printf 'PATCH /apis/apps/v1/namespaces/ns-%d/deployments/op-%d HTTP/1.1\r\nHost: sim\r\nUser-Agent: bench\r\nContent-Type: application/strategic-merge-patch+json\r\nContent-Length: %d\r\n\r\n%s' \
    $((i / 100)) "$i" ${#body} "$body" >&7
  length=0
  while IFS= read -r line <&7; do
    line=${line%$'\r'}; [ -n "$line" ] || break
    case ${line,,} in "http/1.1 200"*) ;; "http/1.1 "*) say "image of op-$i: $line" ;; "content-length: "*) length=${line#*: } ;; esac
  done
  IFS= LC_ALL=C read -r -N "$length" line <&7
}
# What a small write takes at this server, in a client that does nothing else, ten times a second.
stdbuf -oL curl -s --rate 36000/h -w '%{time_total}\n' -o /dev/null -H 'Content-Type: application/json' -d '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"beside-"}}' \
  "$server/api/v1/namespaces/default/configmaps?beside=[1-100000]" >"$out/round_trips" & pid[round_trips]=$!
cpu=$(cpu_ms) asked=$(requests) began=$(now_ms)
for ((i = 0; i < ROLL; i++)); do write_image "$i"; done
say "images written in $(($(now_ms) - began)) ms"
most=0
while [ $(($(now_ms) - began)) -lt $((WATCHED * 1000)) ]; do
  kib=$(memory_kib "${pid[handover]}" VmRSS); [ "$kib" -le "$most" ] || most=$kib
  sleep 1
done
took=$(($(now_ms) - began)) cpu=$(($(cpu_ms) - cpu)) asked=$(($(requests) - asked))
end round_trips; awk '{ printf "round_trip %.1f ms\n", $1 * 1000 }' "$out/round_trips" >>"$out/figures"
say "phases: $(page | grep '^handover_targets{' | grep -v ' 0$' | sed 's/handover_targets//' | tr '\n' ' ')"

# The first sight of each canary, against its target's image.
awk 'FNR == NR { at[$2] = $1; next } { name = $2; sub(/-canary-.*/, "", name) } !(name in seen) && $3 > 0 { seen[name]; print "image_to_canary", $1 - at[name], "ms" }' \
  "$out/images" "$out/canaries" >>"$out/figures"
# By Handover's own log: from the answer to the write of the verdict to the answer to the write of zero.
jq -r 'select(.event == "StepDone" and (.step == "write the state: RollingBack" or .step == "canary to zero"))
  | "\(.ts[:19] + "Z" | fromdate) \(.ts[20:26]) \(.namespace)/\(.name | sub("-(handover|canary-.*)$"; "")) \(if .kind == "ConfigMap" then "verdict" else "zero" end)"' "$out/log" |
  awk '{ ms = $1 * 1000 + $2 / 1000 } $4 == "verdict" { at[$3] = ms } $4 == "zero" && $3 in at { printf "verdict_to_zero %.1f ms\n", ms - at[$3]; delete at[$3] }' >>"$out/figures"
count() { awk -v n="$1" '$1 == n' "$out/figures" | wc -l; }
echo "rss_mib $((most / 1024)) MiB"
echo "rss_anon_mib $(($(memory_kib "${pid[handover]}" RssAnon) / 1024)) MiB"
cores=$(awk -v c="$cpu" -v t="$took" 'BEGIN { printf "%.2f", c / t }')
echo "cpu_cores $cores cores"
for what in image_to_canary verdict_to_zero; do
  echo "${what}_p50_ms $(median $what) ms"; echo "${what}_p99_ms $(percentile $what 99) ms"; echo "${what}_count $(count $what) rollouts"
done
echo "round_trip_p50_ms $(median round_trip) ms"; echo "round_trip_p99_ms $(percentile round_trip 99) ms"
echo "objects_passed $(grep -c '"reason":"SliceMoved"' "$out/log" || true) targets"
echo "api_requests_per_s $((asked * 1000 / took)) requests/s"
echo "load $(cut -d' ' -f1 /proc/loadavg) runnable"
[ "$(count image_to_canary)" -ge "$ROLL" ] || { echo "missed: $(count image_to_canary) of $ROLL canaries were made" >&2; missed=1; }
[ "$(count verdict_to_zero)" -gt 0 ] || { echo "missed: no verdict" >&2; missed=1; }
aim "memory, MiB" $((most / 1024)) 100
aim "CPU, cores" "$cores" 1
aim "verdict to zero, p99" "$(percentile verdict_to_zero 99)" 50
exit $missed
