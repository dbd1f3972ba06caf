# A native sidecar (an init container that is always restarted) ends well again and again: no crash of the version, which is promoted; one
# whose sidecar crashes is rolled back, with the sidecar's name.
served "native sidecars" 29
with_sidecar() { # IMAGE END_AFTER|CRASH_AFTER
  manifest op "$1" canary-percent=50 soak=30s min-events=1600 max-error-rate=5% quiet=1s |
    sed 's|^      containers:|      initContainers:\n      - {name: mesh, image: "'"${OPERATOR_IMAGE:-localhost/operator}:v1"'", restartPolicy: Always, env: [{name: OPERATOR_PORT, value: "8081"}, {name: OPERATOR_'"$2"', value: "8"}]}\n&|' | k apply -f - >/dev/null
}
with_sidecar v1 END_AFTER; adopted op; before=$(pods_of op)
with_sidecar v2 END_AFTER
until_true 20 "a canary pod" some_canary op
restarts() { k get pods -l app=op,handover.dev/track=canary -o json | jq -e '[.items[].status.initContainerStatuses[]?.restartCount] | max >= 2'; }
until_true 90 "the canary's sidecar ends for the second time" restarts
phase_is op RolledBack && fail "it was rolled back: $(state op .message)"
until_true 200 "every pod runs v2" image_is op v2
wait_phase op Stable 90
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op .history)"
with_sidecar v3 CRASH_AFTER
wait_phase op RolledBack 120
state op .message | has mesh || fail "the reason does not name the sidecar: $(state op .message)"
