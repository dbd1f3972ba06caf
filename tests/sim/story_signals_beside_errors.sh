# Versions whose reconciles all succeed, and that are bad all the same: each signal has its verdict, and words with its figures.
. "$(dirname "$0")/lib.sh"
rate='"reconcilesPerSecond":40'
sim --script "{\"image\":\"*:v?\",$rate}" --script "{\"image\":\"*:panics\",\"panicRate\":0.3,$rate}" \
  --script "{\"image\":\"*:writes\",\"writesPerReconcile\":1,$rate}" --script "{\"image\":\"*:slow\",\"slowRate\":0.6,$rate}" \
  --script '{"image":"*:hot","reconcilesPerSecond":400}' --script "{\"image\":\"*:stuck\",\"longestMs\":90000,$rate}"
handover a; target op:v1 canary-percent=50 soak=4s max-error-rate=5% quiet=1s deadline=12s; adopted
rolled_back() { # IMAGE REASON : the version is rolled back for it
  set_image "op:$1"; until_true 10 "the canary of $1" some_canary
  wait_phase RolledBack 60; ended failed || fail "$1: the history says $(state '.history[0].result')"
  local reason; reason=$(state '.history[0].reason')
  # shellcheck disable=SC2053
  [[ $reason == $2 ]] || fail "$1: the reason is: $reason"
  until_true 10 "the canary of $1 is gone" no_canary
}
raised() { # SIGNAL : held for it, and a person is asked
  [ "$(state .hold)" = SignalRaised ] && [[ $(state .message) == "$1: "*"if that is meant: handover promote op -n default; if not: handover abort op -n default" ]]
}
set_image op:writes; until_true 30 "the hold for the writes" raised writes
has_event() { events | has -E "$1"; }
until_true 10 "the Event of signals without metrics" has_event '^SignalsUnavailable .*webhooks'
until_true 10 "the Event of the writes" has_event '^SignalRaised writes: [0-9]+ writes in [0-9]+ reconciles; stable [0-9]+ in [0-9]+'
annotate signals '"-writes"'; promoted op:writes
before=$(stable_pods)
rolled_back panics 'panics: * panics in * reconciles; stable 0 in *'
rolled_back hot 'work: a canary pod reconciles * times as often as a pod of stable (*): a hot loop?, until the deadline'
rolled_back slow 'latency: * of * reconciles took longer than 1 s; stable 0 of *, until the deadline'
rolled_back stuck 'stuck: a reconcile of the canary has been running for 90 s; stable*, until the deadline'
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"
