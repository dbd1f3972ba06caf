# Reconciles that an upgrade cuts in their middle. controller-runtime cancels all that run when it is asked to end; this operator takes a
# second for each of eight widgets and then has nothing to do until ten seconds after the first: quiet once in that time. Its leader
# is stopped several times in an update with Handover, at quiet moments, and cuts none; without Handover it is stopped as often, at any moment.
# operator: controller-runtime
# tags: long
# seconds: 600
# shellcheck shell=bash
. ./operators.sh
OPERATOR_IMAGE=localhost/controller-runtime
for tag in v1 v2; do operator_controller_runtime_image $tag reconcile-time=1 rate=0.1; done
widgets 8
operator_controller_runtime op v1 canary-percent=50 soak=40s min-soak=40s min-events=10 max-error-rate=5% quiet=25s deadline=12m | in_cluster kubectl apply -f - >/dev/null
adopted op
leads() { local pod; pod=$(holder widget); [ -n "$pod" ] && [ "$(field "pod/${pod%%_*}" '{.status.phase}')" = Running ]; } # a pod that is there
cut() { field widgets '{range .items[*]}{.status.cut}{"\n"}{end}' | { grep -oE '"[^"]+":"[^"]+"' || true; } | wc -l; }
reconciled() { [ "$(field widgets '{range .items[*]}{.status.reconciles}{"\n"}{end}' | grep -c .)" = 8 ]; }
until_true 60 "each widget is reconciled" reconciled
[ "$(cut)" = 0 ] || fail "cut before anything was stopped: $(cut)"

set_image op v2
until_true 420 "every pod runs v2" image_is op v2
wait_phase op Stable 90; canary_gone op
[ "$(state op '.history[0].result')" = promoted ] || fail "not promoted: $(state op '.history[0]')"
by_v2() { field widgets '{range .items[*]}{.status.image}{"\n"}{end}' | has -x v2; }
until_true 60 "v2 leads" by_v2
with=$(cut); note "an update with Handover, by turns: $with reconciles cut"

# As often without it: the trial's changes of leader, by hand, and not one of them at a moment that is chosen
k annotate deployment/op handover.dev/lease-assist=always --overwrite >/dev/null
for i in 1 2 3; do
  until_true 60 "a pod leads" leads
  pod=$(holder widget); pod=${pod%%_*}
  works() { [ "$(field widgets '{range .items[*]}{.status.by}:{.status.reconciles}{"\n"}{end}' | grep -c "^$pod:")" -ge $((i + 1)) ]; }
  until_true 60 "it works" works
  k delete pod "$pod" --wait=false >/dev/null
  until_true 60 "another pod leads" eval '[ -n "$(holder widget)" ] && [[ $(holder widget) != "$pod"_* ]]'
done
without=$(($(cut) - with)); note "its leader deleted three times: $without reconciles cut"
[ "$with" = 0 ] || fail "$with reconciles were cut in an update that waits for quiet moments: $(field widgets '{range .items[*]}{.status.cut}{"\n"}{end}')"
[ "$without" -ge 1 ] || fail "nothing is cut without Handover either: this story shows nothing"
