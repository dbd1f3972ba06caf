# etcd is restored from a backup that was made before a rollout: all resourceVersions go back. Controllers are started anew then, Handover
# like every other (a watch from a version that is yet to come says nothing); it takes up the state of the backup, and rolls out the next one.
. ./leadership.sh
apply op v1 "${quick[@]}"; adopted op; both_warm
./cluster.sh etcd save
until_true 60 "a leader and a warm standby" warm
set_image op v2; until_true 20 "a canary pod" some_canary op
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 60
./cluster.sh etcd restore
H rollout restart deployment/handover >/dev/null; H rollout status deployment/handover --timeout=180s >/dev/null
until_true 120 "the Deployment is as it was saved" image_is op v1
until_true 120 "a leader and a warm standby" warm
until_true 60 "the target is held" paused op
set_image op v3; until_true 60 "a canary pod of v3" some_canary op
until_true 150 "every pod runs v3" image_is op v3
wait_phase op Stable 60
never_two >/dev/null
