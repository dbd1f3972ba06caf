# Ten bad versions at once, of operators on controller-runtime, each bad in a way of its own, and half of them without one failed
# reconcile. Each is rolled back for that, or held and asked about where it may be meant, in words with its figures; one that starts in the
# middle of an outage is judged when that is over. None is ever promoted, and no pod of stable changes.
# operator: controller-runtime
# tags: long
# seconds: 1200
. ./operators.sh
. ./ten_operators.sh
declare -A bad=(
  [hang]='stuck-after=12' [loop]='hot-loop=60' [idle]='idle-after=12' [leak]='leak=400000' [panic]='panic-after=5 panic-rate=0.2'
  [write]='writes=3' [slow]='reconcile-time=0.12 latency-after=10' [late]='error-rate=0.5 errors-after=35'
  [one]='bad-controller=10 error-rate=1' [outage]='error-rate=0.5')
NOTES[panic]='max-error-rate=30%' # more errors than others have are no licence to panic
NOTES[write]+=' deadline=1h' NOTES[outage]='deadline=1h'
number='[0-9]+(\.[0-9]+)?' stopped='the canary has stopped reconciling while stable reconciles; '
failed="$number of $number reconciles failed"
as_often="a canary pod reconciles $number times as often as a pod of stable \($number reconciles, stable $number\)"
shared="both versions fail \(canary $number %, stable $number %\): an outage is not a verdict"
declare -A why=(
  [hang]="${stopped}stuck: $number keys wait and the canary has reconciled none in the last $number scrapes; stable did $number reconciles, until the deadline"
  [loop]="work: $as_often: a hot loop\?, until the deadline"
  [idle]="${stopped}work: $as_often: it hardly works, until the deadline"
  [leak]="(oom: $number containers? of the canary (was|were) OOM killed; 0 of stable|canary pod .* crashed $number times \(.*OOMKilled.*)"
  [panic]="(panics: $number panics in $number reconciles; stable 0 in $number|$failed \($number %; over 2 times stable's\), tolerated are 30 %; stable 0 % of $number)"
  [write]="writes: $number writes in $number reconciles; stable $number in $number; if that is meant: handover promote write -n .*"
  [slow]="latency: $number of $number reconciles took longer than $number s; stable $number of $number, until the deadline"
  [late]="$failed \($number %(; lately $number %)?\), tolerated are 5 %; stable 0 % of $number"
  [one]="controller widget-10: $failed \(100 %\), tolerated are 5 %; stable 0 % of $number"
  [outage]="$failed \($number %\), tolerated are 5 %; stable $number % of $number")

widgets 20; backend_down false
operators deadline=120s min-soak=40s # without that `late` would have passed before it broke
backend_down true
for name in outage hang loop idle leak panic write slow late one; do version "$name" "$name" ${bad[$name]}; done

until_true 60 "the outage holds" held_for outage SharedOutage
for_a_while 15 "in an outage there is no verdict" soaks outage
message=$(state outage .message)
[[ $message =~ ^$shared$ ]] || fail "of the outage it says: $message"
backend_down false

raised() { held_for write SignalRaised && [[ $(state write .message) =~ ^${why[write]}$ ]]; }
until_true 120 "a person is asked about the writes" raised
note "write: $(state write .message)"
rolled_back() { # NAME
  local name=$1 reason
  wait_phase "$name" RolledBack 150; canary_gone "$name"
  reason=$(state "$name" '.history[0].reason')
  [[ $reason =~ ^${why[$name]}$ ]] || fail "$name is rolled back for: $reason"
  untouched "$name"
  note "$name: $reason"
}
for name in one panic leak late hang loop idle slow outage; do rolled_back "$name"; done
soaks write || fail "what a person was asked about is in phase $(phase write)"
untouched write
user_command write abort; wait_phase write RolledBack 30; canary_gone write; untouched write
