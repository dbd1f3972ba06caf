# previous.sh PREVIOUS : the program that was landed before this one, and this one, take over from each other in the middle of the work:
# what one has written (state, checkpoint, annotations) the other goes on with. Run by tests/run.sh, which builds that program.
previous=${1:?the program of the release before}
. "$(dirname "$0")/lib.sh"
this=$HANDOVER
sim --script '{"image":"*","reconcilesPerSecond":4}'
start() { # PROGRAM NAME : stands by until the other one ends
  local was=$HANDOVER; HANDOVER=$1; handover "$2"; HANDOVER=$was
  until_true 15 "$2 is warm" log_says "$2" CachesSynced
}
counted() { local n; n=$(state '.judge.all.canary[1] // .evidence.canary // 1') && [ "$n" != 0 ] && [ "$n" != null ]; }
# In the middle of a rollout of this image the leader ends, and the other one leads: same rollout, same canary.
over() { # IMAGE FROM TO
  set_image "$1"; wait_phase Soaking 20; until_true 20 "a canary" some_canary
  local begun canary pid_from; begun=$(state .startedAt) canary=$(pods %3D); pid_from=pid_$2
  kill "${!pid_from}"
  until_true 15 "$3 leads" leads "$3"
  promoted "$1"
  [ "$(state '.history[0].startedAt')" = "$begun" ] || fail "$1: the rollout began anew under $3"
}
start "$previous" old; until_true 10 "old leads" leads old
target op:v1 canary-percent=50 soak=6s max-error-rate=5% quiet=1s; adopted
start "$this" new
over op:v2 old new                       # an upgrade
log_says new '"restored_keys":[0-9]' || fail "the checkpoint was not looked at"
! log_says new 'CheckpointUnusable|StateDamaged' || fail "what the release before has written cannot be read"
script '{"image":"op:bad","reconcilesPerSecond":20,"errorRate":1}'
set_image op:bad; wait_phase RolledBack 40
start "$previous" older; kill "$pid_new"; until_true 15 "older leads" leads older # and back
! log_says older 'CheckpointUnusable|StateDamaged' || fail "the release before cannot read what this one has written"
wait_phase RolledBack 5; no_canary || fail "what was rolled back is tried again by the release before"
start "$this" newer
over op:v3 older newer
[ "$(state '[.history[].result] | join(" ")')" = "promoted failed promoted" ] || fail "history: $(state '[.history[] | .result]')"
