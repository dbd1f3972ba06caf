#!/usr/bin/env bash
# The informer bench: our informer beside client-go's on one real API server (a control plane alone), and a day of churn in the
# simulated world. docs/bench.md explains the figures. Lines "NAME VALUE UNIT"; ends with 1 where an aim is missed.
#   OBJECTS=100000 of each kind (ConfigMaps kept whole, Deployments as metadata), BURST=20000 of them changed at once, ROUNDS=3 of
#   each measurement (the median counts), SETTLE=10 seconds until memory is read, KINDS="configmaps deployments"
#   EVENTS=1000000 of the simulated day (0: none); OBJECTS=0: that day alone
# The cluster is one of our own (root; CLUSTER_DIR, CLUSTER_NS; KEEP=1 leaves it, and its objects are used again).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
. "$here/lib/measure.sh"
OBJECTS=${OBJECTS:-100000} BURST=${BURST:-20000} ROUNDS=${ROUNDS:-3} SETTLE=${SETTLE:-10} EVENTS=${EVENTS:-1000000}
[ "$BURST" -le "$OBJECTS" ] || BURST=$OBJECTS
ours=$BUILD/tests/bench/bench_informer_follow peer=$BUILD/informer_peer out=$(mktemp -d) missed=0
say() { echo "informer: $*" >&2; }
build_here informer bench_informer_follow bench_informer_churn
say "load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
[ "$EVENTS" = 0 ] || "$BUILD/tests/bench/bench_informer_churn" "$EVENTS" || missed=1

if [ "$OBJECTS" != 0 ]; then
  . "$top/tests/go.sh"
  why=$(go_here "$here/informer_peer" "$peer" 2>&1) || { echo "skipped: beside client-go: $why"; exit $missed; }
  own_control_plane
  stop_controllers # their writes would be events beside those measured
  export WHERE=bench BURST
  cluster kubectl create namespace $WHERE >/dev/null 2>&1 || true
fi

follow() { # WHO KIND : starts it, waits until it has synced
  : >"$out/$1"
  STARTED=$(date +%s%N) "${inside[@]}" $([ "$1" = ours ] && echo "$ours" || echo "$peer" follow) "$2" >"$out/$1" 2>>"$out/log" & pid[$1]=$!
  until_line "$1" synced 1
}
until_line() { # WHO WORD N : its Nth line of that word is there
  local end=$((SECONDS + 900))
  until [ "$(grep -c "^$2" "$out/$1")" -ge "$3" ]; do
    kill -0 "${pid[$1]}" 2>/dev/null && [ $SECONDS -lt $end ] || { say "$1 did not come to \"$2\" number $3: $(tail -3 "$out/log")"; exit 1; }
    sleep 0.05
  done
}
column() { awk -v word="$2" -v c="$3" '$1 == word { v = $c } END { print v }' "$out/$1"; } # WHO WORD N : of its last such line
touch_objects() { cluster "$peer" touch "$1" "$BURST"; }

measure() { # KIND
  local kind=$1 who n i
  n=$(cluster kubectl get "$kind" -n $WHERE --chunk-size=1 --request-timeout=60s -o name 2>/dev/null | head -1 | wc -l) || true
  if [ "$n" = 0 ]; then say "creating $OBJECTS $kind"; i=$SECONDS; cluster "$peer" create "$kind" "$OBJECTS"; say "that took $((SECONDS - i)) s"; fi
  for ((i = 1; i <= ROUNDS; i++)); do
    for who in ours peer; do
      follow $who "$kind"
      [ "$(column $who synced 2)" = "$OBJECTS" ] || { say "$who has $(column $who synced 2) $kind, not $OBJECTS"; exit 1; }
      note "${kind}_${who}_synced" "$(column $who synced 3)" s; note "${kind}_${who}_synced_cpu" "$(column $who synced 4)" s
      sleep "$SETTLE"
      for n in RssAnon VmRSS Pss; do note "${kind}_${who}_$n" "$(memory_kib ${pid[$who]} $n)" KiB; done
      [ $i = "$ROUNDS" ] || end $who
    done
  done
  for ((i = 1; i <= ROUNDS; i++)); do
    touch_objects "$kind"
    for who in ours peer; do
      until_line $who burst $((2 * i - 1))
      note "${kind}_${who}_live_cpu" "$(column $who burst 4)" s
    done
    # What comes after a stall, as fast as the server has it: both stand still while the objects are changed.
    kill -STOP "${pid[ours]}" "${pid[peer]}"
    touch_objects "$kind"
    for who in $([ $((i % 2)) = 1 ] && echo ours peer || echo peer ours); do
      kill -CONT "${pid[$who]}"
      until_line $who burst $((2 * i))
      note "${kind}_${who}_backlog" "$(column $who burst 3)" s; note "${kind}_${who}_backlog_cpu" "$(column $who burst 4)" s
    done
  done
  end ours; end peer
  report "${kind}_"
  aim "$kind: memory (RssAnon) at most a fifth of client-go's" "5 * $(median ${kind}_ours_RssAnon)" "$(median ${kind}_peer_RssAnon)"
  aim "$kind: not slower to synced" "$(median ${kind}_ours_synced)" "$(median ${kind}_peer_synced)"
  aim "$kind: at least as many events a second after a stall" "$(median ${kind}_ours_backlog)" "$(median ${kind}_peer_backlog)"
}
[ "$OBJECTS" = 0 ] || for kind in ${KINDS:-configmaps deployments}; do measure "$kind"; done
say "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"
exit $missed
