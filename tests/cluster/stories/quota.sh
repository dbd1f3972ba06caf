# A ResourceQuota that the canary fills: it makes room for the promotion. One without room for a canary holds the rollout, and lets it go on.
quota() { k create quota tight --hard="pods=$1" >/dev/null 2>&1 || k patch resourcequota tight -p '{"spec":{"hard":{"pods":"'"$1"'"}}}' >/dev/null; }
counted() { [ "$(field resourcequota/tight '{.status.used.pods}')" = "$1" ]; }
never_rolled_back() { [ "$(state op '[.history[] | select(.result == "rolledBack")] | length')" = 0 ] || fail "a verdict was given: $(state op .history)"; }
quota 4
apply op v1 "${quick[@]}"; adopted op; until_true 30 "the quota counts two pods" counted 2
set_image op v2
until_true 120 "every pod runs v2, though four pods are allowed" image_is op v2
wait_phase op Stable 90; canary_gone op 30
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op .history)"
until_true 120 "the quota counts two pods" counted 2; quota 2; before=$(pods_of op)
set_image op v3
held() { state op '(.hold // "") + " " + .message' | has 'PodsNotCreated.*exceeded quota: tight'; }
until_true 40 "the refused canary is named with the quota's own words" held
for_a_while 5 "it is no verdict" held
same_pods op "$before"
quota 4
until_true 150 "every pod runs v3 when there is room" image_is op v3
wait_phase op Stable 90
never_rolled_back
