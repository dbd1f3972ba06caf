# Ten healthy versions at once, of operators on controller-runtime, under what makes a version look bad: a noisy start, in all controllers
# or in one of ten; objects that no version can reconcile; errors that come several at a time, changes of everything at once; and an
# outage in the middle of which the canary starts. All of them are promoted, each on its first try.
# operator: controller-runtime
# tags: long
# seconds: 1200
. ./operators.sh
. ./ten_operators.sh
noisy='error-rate=0.6 errors-until=5'
SETTINGS[idle]='error-rate=0.02 errors-in-row=5' NOTES[idle]='max-error-rate=auto' # so it was always
widgets 20; backend_down false
for i in 1 2; do widget "bad$i" hang '{bad: true}'; done
operators deadline=1h

backend_down true
version outage v2
for name in loop leak panic slow; do version "$name" noisy $noisy; done
version one noisy10 $noisy bad-controller=10
for name in hang idle write late; do version "$name" v2; done
until_true 60 "the outage holds" held_for outage SharedOutage
for_a_while 15 "in an outage there is no verdict" soaks outage
backend_down false
SIZE=2 widgets 20 # each of them is changed: work for all at the same moment

promoted() { # NAME TAG
  until_true 240 "every pod of $1 runs $2" image_is "$1" "$2"
  wait_phase "$1" Stable 30; canary_gone "$1"
  [ "$(state "$1" '[.history[].result] | join(" ")')" = promoted ] || fail "$1: not promoted, or not at once: $(state "$1" .history)"
  note "$1: $(state "$1" '.history[0].reason')"
}
for name in loop leak panic slow; do promoted "$name" noisy; done
promoted one noisy10
for name in hang idle write late outage; do promoted "$name" v2; done
state late '.history[0].reason' | has 'clear before the soak was over$' || fail "late: it did not pass early: $(state late '.history[0].reason')"
