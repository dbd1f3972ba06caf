# A GitOps tool applies the manifest again every few seconds, client-side: the rollout goes on undisturbed.
apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
applied=$(mktemp); ( while :; do if manifest op v2 "${quick[@]}" | k apply -f -; then echo ok; else echo failed; fi >>"$applied"; sleep 5; done ) >/dev/null 2>&1 & again=$!
trap 'kill $again 2>/dev/null || true' EXIT
until_true 30 "a canary pod" some_canary op
[ "$(pods_of op)" = "$before" ] || fail "stable pods changed before the promotion"
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 30; paused op || fail "not paused again"
kill "$again" 2>/dev/null || true; trap - EXIT
[ "$(grep -c ok "$applied")" -ge 3 ] || fail "the manifest was applied $(grep -c ok "$applied") times only"
! grep -q failed "$applied" || fail "an apply was refused"
