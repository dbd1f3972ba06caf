# The same with server-side apply, which owns fields: `paused` stays ours.
manifest op v1 "${quick[@]}" | k apply --server-side -f - >/dev/null; adopted op; before=$(pods_of op)
applied=$(mktemp); ( while :; do if manifest op v2 "${quick[@]}" | k apply --server-side -f -; then echo ok; else echo failed; fi >>"$applied"; sleep 5; done ) >/dev/null 2>&1 & again=$!
trap 'kill $again 2>/dev/null || true' EXIT
until_true 30 "a canary pod" some_canary op
[ "$(pods_of op)" = "$before" ] || fail "stable pods changed before the promotion"
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 30; paused op || fail "not paused again"
k get deployment op --show-managed-fields -o json 2>/dev/null | jq -e '[.metadata.managedFields[] | select(.manager == "handover")] | length > 0' >/dev/null ||
  k get deployment op -o json | jq -e '[.metadata.managedFields[] | select(.manager == "handover")] | length > 0' >/dev/null || fail "our fields are not under the manager \"handover\""
kill "$again" 2>/dev/null || true; trap - EXIT
[ "$(grep -c ok "$applied")" -ge 3 ] || fail "the manifest was applied $(grep -c ok "$applied") times only"
! grep -q failed "$applied" || fail "an apply was refused"
