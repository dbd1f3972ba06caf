# An operator on controller-runtime, as its project template has it, in mode replicas. The canary of an update stands by for the Lease that stable holds:
# that is no evidence, the rollout holds and says so, nothing is promoted for want of errors. With a Lease of its own it is judged.
# operator: controller-runtime
# tags: long
. ./operators.sh
OPERATOR_IMAGE=localhost/controller-runtime
operator_controller_runtime_image v1
operator_controller_runtime_image v2
operator_controller_runtime_image bad error-rate=0.5
widgets 5
deploy() { operator_controller_runtime op "$@" mode=replicas "${quick[@]}" | in_cluster kubectl apply -f - >/dev/null; }
written_by() { [ "$(field widgets '{range .items[*]}{.status.image}{"\n"}{end}' | sort -u)" = "$1" ]; } # TAG : every widget
some_by() { field widgets '{range .items[*]}{.status.image}{"\n"}{end}' | has -x "$1"; }
stands_by() { says op '^Soaking \(NoData\): no metrics: canary: it stands by for a lease that it shares with stable'; }

deploy v1; adopted op; before=$(pods_of op)
until_true 30 "v1 reconciles every widget" written_by v1
first=$(holder widget); holders=$(mktemp); watch_holders widget "$holders"

set_image op v2
until_true 30 "a canary pod" some_canary op
until_true 60 "the status says that the canary stands by" stands_by
still() { says op '^Soaking \(NoData\): ' && [ "$(holder widget)" = "$first" ] && written_by v1; } # a busy machine's page may be late, too: another reason for the same hold
for_a_while 12 "held for want of evidence, longer than the soak" still
same_pods op "$before"
set_image op v1; wait_phase op Stable 40; canary_gone op
same_pods op "$before"
note "a canary that stands by is held, and taken back"

# What the message asks for, while the next rollout is held
set_image op v2; until_true 60 "the canary stands by again" stands_by
k annotate deployment/op handover.dev/canary-args=--leader-election-id=op-canary >/dev/null; user_command op retry
until_true 60 "the canary leads by a Lease of its own" held_by op-canary op-canary-
until_true 30 "v2 reconciles widgets" some_by v2
until_true 90 "every pod runs v2" image_is op v2
wait_phase op Stable 30; [ "$(state op '.history[0].result')" = promoted ] || fail "not promoted: $(state op '.history[0]')"
! grep -q '^op-canary-' "$holders" || fail "the canary held stable's Lease: $(cat "$holders")"
until_true 60 "v2 reconciles every widget" written_by v2 # v1 does not release its Lease: it expires first
note "with a Lease of its own a good one is promoted"

before=$(pods_of op)
set_image op bad; wait_phase op RolledBack 90; canary_gone op
status op | has 'reconciles failed' || fail "rolled back for another reason: $(status op)"
same_pods op "$before"
note "a bad one is rolled back: $(status op)"
