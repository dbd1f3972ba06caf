# The leader is deleted in the middle of a rollout: the other one goes on from where it was, and nothing starts anew.
apply op v1 canary-percent=50 soak=15s min-events=10 max-error-rate=5% quiet=1s; adopted op
before=$(pods_of op); set_image op v2
until_true 20 "a canary pod" some_canary op
canary=$(canaries op); old=$(leader); begun=$(state op .startedAt)
in_cluster kubectl -n handover-system delete pod "${old%%_*}" --wait=false >/dev/null
within 12 "another leader than $old, sooner than the lease expires" bash -c '. ./lib.sh; l=$(leader); [ -n "$l" ] && [ "$l" != "$1" ]' - "$old"
[ "$(canaries op)" = "$canary" ] || fail "the canary was made anew"
[ "$(state op .startedAt)" = "$begun" ] || fail "the rollout began anew"
same_pods op "$before"
until_true 90 "every pod runs v2" image_is op v2
wait_phase op Stable 30
