# A version that works well for a moment and then hangs, while stable goes on: however good its past, it is never promoted.
apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
set_image op hang
until_true 30 "a canary pod" some_canary op
held() { state op '(.hold // "") + " " + .phase' | has 'CanaryStalled Soaking'; }
until_true 60 "the hold says that the canary stands still" held
for_a_while 15 "it is not promoted: $(phase op)" phase_is op Soaking
same_pods op "$before"
set_image op v2
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 30
