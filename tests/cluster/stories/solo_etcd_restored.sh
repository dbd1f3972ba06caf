# etcd is restored from a backup that was made before a rollout: all resourceVersions go back, Handover's caches with them, and the same
# update is rolled out again from the start, without a pod of the new version beside its canary.
. ./leadership.sh
apply op v1 "${quick[@]}"; adopted op; both_warm
./cluster.sh etcd save
until_true 60 "a leader and a warm standby" warm
set_image op v2; until_true 20 "a canary pod" some_canary op
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 60
./cluster.sh etcd restore
until_true 120 "the Deployment is as it was saved" image_is op v1
until_true 120 "a leader and a warm standby" warm
until_true 60 "the target is held" paused op
set_image op v3; until_true 60 "a canary pod of v3" some_canary op
until_true 150 "every pod runs v3" image_is op v3
wait_phase op Stable 60
never_two >/dev/null
