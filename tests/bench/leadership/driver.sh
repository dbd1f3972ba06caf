# What the leadership bench's parts share: processes, the ledger that all of them write (a FIFO: the driver is woken by lines and
# asks nobody), and handovers. Sourced by leadership.sh, which sets ns, out, inside, programs.

fifo=$out/fifo ledger=$out/ledger
[ -p "$fifo" ] || mkfifo -m 666 "$fifo"
exec 3<>"$fifo" 4>"$ledger"
declare -A seen pid leader standby
n=0 who=

now() { REPLY=${EPOCHREALTIME/[.,]/}; } # microseconds, without a fork
mark() { now; printf '%s driver %s\n' "$REPLY" "$*" >&4; }
die() { echo "leadership: $*; the ledger is $ledger" >&2; exit 1; }

# One line of the ledger. No short time-outs here: bash loses what it has read of a line when the time is up.
take() {
  local t w event rest
  IFS=' ' read -r -t 150 -u 3 t w event rest || die "nothing was heard for 150 s"
  [ "$w" = timer ] || printf '%s %s %s%s\n' "$t" "$w" "$event" "${rest:+ $rest}" >&4
  seen[$w/$event]=$t
}
# await SECONDS WHO/EVENT
await() {
  local end; now; end=$((REPLY + $1 * 1000000))
  while [ -z "${seen[$2]:-}" ]; do
    take; now; [ "$REPLY" -lt $end ] || die "$2 did not come within $1 s"
  done
}
# Lets some milliseconds pass; what is written meanwhile is read.
rings=0
pass() {
  local s p; rings=$((rings + 1))
  printf -v s '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
  { sleep "$s"; echo "0 timer ring-$rings" >"$fifo"; } & p=$!
  await $(($1 / 1000 + 60)) "timer/ring-$rings"; wait $p
}
between() { pass $(($1 + RANDOM % ($2 - $1 + 1))); }

# spawn KIND: a candidate; `who` is its name
spawn() {
  n=$((n + 1)); who=$1-$n
  launch "$1" "$who" # sets pid[who]
  await 60 "$who/warm"
}
begin() { # KIND: a leader and a standby
  spawn "$1"; leader[$1]=$who; await 60 "$who/leading"
  spawn "$1"; standby[$1]=$who
}
# handover KIND: SIGTERM to the leader; then the standby leads, and there is a new standby
handover() {
  local old=${leader[$1]} new=${standby[$1]}
  mark term "$old"; kill -TERM "${pid[$old]}"
  await 90 "$new/start"; await 60 "$old/exit"
  wait "${pid[$old]}" || die "$old ended with $?"
  unset "pid[$old]"; leader[$1]=$new
  spawn "$1"; standby[$1]=$who
}
finish() { # KIND: the standby first, so that nobody takes over any more
  local p
  for p in "${standby[$1]}" "${leader[$1]}"; do kill -TERM "${pid[$p]}"; await 60 "$p/exit"; wait "${pid[$p]}" || true; unset "pid[$p]"; done
}
end_all() { local p; for p in "${!pid[@]}"; do kill -9 "${pid[$p]}" 2>/dev/null || true; done; }

feed() { # KIND PLAIN FAIL POLL RATE: makes the objects and, with a rate, goes on wanting
  "${inside[@]}" "$programs/bench_leadership_feeder" "feed-$1" "$ns-$1" "$2" "$3" "$4" "$5" & pid[feed-$1]=$!
  await 30 "feed-$1/made"
}
unfeed() { kill -TERM "${pid[feed-$1]}" 2>/dev/null || true; await 30 "feed-$1/exit"; wait "${pid[feed-$1]}" || die "the feeder failed"; unset "pid[feed-$1]"; }
# Waits until everything that was wanted is done, and writes what there is into the ledger: the report judges.
settle() { # KIND
  local objects deadline; now; deadline=$((REPLY + 30000000))
  while :; do
    objects=$("${inside[@]}" kubectl -n "$ns-$1" get configmaps -l bench=work -o json |
      jq -r '.items[] | select(.data.mode != "fail") | "state \(.metadata.namespace)/\(.metadata.name) \(.data.want) \(.data.done)"')
    awk '$3 != $4 { bad = 1 } END { exit bad }' <<<"$objects" && break
    now; [ "$REPLY" -lt $deadline ] || break
    pass 300
  done
  local line; while read -r line; do mark "$line"; done <<<"$objects"
}
floor() { # COUNT
  "${inside[@]}" "$programs/bench_leadership_floor" floor "$ns-idle" floor "$1" & local p=$!
  unset "seen[floor/exit]"; await 120 floor/exit; wait $p || die "the floor could not be measured"
}
