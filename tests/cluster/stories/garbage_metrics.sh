# A canary whose metrics page is garbage gives no evidence: neither promoted nor rolled back, and the reason is said.
apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
set_image op garbage
until_true 20 "a canary pod" some_canary op
until_true 60 "the page's fault is reported" bash -c '. ./lib.sh; target=op; k get deployment op -o json | jq -r ".metadata.annotations[\"handover.dev/status\"]" | has -i metrics || event_seen "[Mm]etrics"' -
for_a_while 12 "it goes on holding" some_canary op
same_pods op "$before"
[ "$(phase op)" != RolledBack ] || fail "an outage of the metrics became a verdict"
set_image op v1; wait_phase op Stable 40
