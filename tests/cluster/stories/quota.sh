# The quota has no room for a surge beside the canary: while it promotes, the canary makes room, and a good version is not rolled back
# for what the quota refused.
k create quota room --hard=pods=4 >/dev/null
apply op v1 "${quick[@]}"; adopted op
set_image op v2; until_true 20 "a canary pod" some_canary op
until_true 150 "every pod runs v2" image_is op v2
wait_phase op Stable 60
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op '.history[0].result')"

# No room for the canary itself: it is named, nothing is judged, and it goes on when there is room.
k delete quota room >/dev/null; k create quota tight --hard=pods=2 >/dev/null
set_image op v3
held() { state op '(.hold // "") + " " + .message' | has 'PodsNotCreated.*exceeded quota: tight'; }
until_true 40 "the refused canary is named with the quota's own words" held
k delete quota tight >/dev/null
until_true 120 "every pod runs v3" image_is op v3
wait_phase op Stable 60
[ "$(state op '[.history[].result] | unique | join(" ")')" = promoted ] || fail "the history says $(state op .history)"
