# The API server is killed in the middle of a rollout and comes back telling one connection in fifty to go away: never two leaders, the
# rollout goes on and is promoted once.
. ./leadership.sh
in_a_rollout 25; both_warm
t0=$SECONDS
API_ARGS=--goaway-chance=0.02 ./cluster.sh restart kube-apiserver >/dev/null
note "the API server was away for $((SECONDS - t0)) s"
until_true 60 "a leader and a warm standby" warm
it_ends_well
never_two >/dev/null
at_exit+=("./cluster.sh restart kube-apiserver >/dev/null; until_true 60 'the API server answers' H get lease handover")
