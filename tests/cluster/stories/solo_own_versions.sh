# The release that landed last (tests/previous) is in service, and upgrades itself to this version, canary first; then back to it, by this
# version's judgement: a downgrade is an update like any other. A rollout is under way each time, and goes on.
# tags: long
# seconds: 1500
. ./leadership.sh; . ./own_update.sh
at_exit+=(own_reset)
commit=$(grep -v '^#' "$TOP/tests/previous")
git -C "$TOP" cat-file -e "$commit^{commit}" 2>/dev/null || skip "this copy has not the commit $commit"
from=$kept/source root=$kept/previous; mkdir -p "$from"
git -C "$TOP" archive "$commit" | tar -x -C "$from"
{ cmake -S "$from" -B "$kept/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHANDOVER_TESTS=OFF && ninja -C "$kept/build" handover; } >"$kept/build.log" 2>&1 || { tail -20 "$kept/build.log"; fail "the release before does not build"; }
"$from/deploy/image/rootfs.sh" "$kept/build/handover" "$root"
./cluster.sh load localhost/handover:previous "$root" /usr/bin/handover

was_promoted() { [ "$(last_end)" != "$ended" ] && own_is Stable; }
becomes() { # IMAGE V : in the middle of op's rollout to V
  local t=$SECONDS old; ended=$(last_end) old=$(leader)
  set_image op "$2"; until_true 30 "a canary of op" some_canary op
  update ".spec.template.spec.containers[0].image = \"localhost/handover:$1\""
  target=handover; until_true 450 "$1 is in service (is $(own '.phase + " " + (.message // "")' 2>/dev/null))" was_promoted
  [ "$(own '.history[0].result')" = promoted ] || fail "$1: $(own '.history[0]')"
  until_true 60 "a pod in service leads, another one than $old" other_leads "$old"; stable_leads || fail "$(leader) leads"
  H get pods -o json | jq -e --arg i "localhost/handover:$1" '[.items[] | select(.metadata.deletionTimestamp == null) | .spec.containers[0].image] | unique == [$i]' >/dev/null || fail "not every pod runs $1"
  target=op; until_true 150 "op runs $2" image_is op "$2"; wait_phase op Stable 60
  [ "$(state op '.history[0].result')" = promoted ] || fail "op: $(state op '.history[0]')"
  note "$1: promoted after $((SECONDS - t)) s, op's rollout with it"
}
WARM=2 deploy_handover "$leases | $notes | .spec.template.spec.containers[0].image = \"localhost/handover:previous\""
both_warm; own_phase Stable 60
apply op v1 canary-percent=50 soak=20s min-events=10 max-error-rate=5% quiet=1s; adopted op
becomes test v2
becomes previous v3
