# A native sidecar that ends well again and again is no crash of the operator.
served "native sidecars" 29
with_sidecar() { # IMAGE
  manifest op "$1" canary-percent=50 soak=60s min-events=10 max-error-rate=5% quiet=1s | sed "s|^      containers:|      initContainers:\n      - name: helper\n        image: ${OPERATOR_IMAGE:-localhost/operator}:brief\n        imagePullPolicy: IfNotPresent\n        restartPolicy: Always\n      containers:|"
}
with_sidecar v1 | k apply -f - >/dev/null
restarts() { k get pods -l "$1" -o json | jq -e "[.items[].status.initContainerStatuses[]? | .restartCount] | (add // 0) >= $2"; }
adopted op; until_true 60 "the helper ends and is started again" restarts app=op 1
with_sidecar v2 | k apply -f - >/dev/null
until_true 20 "a canary pod" some_canary op
canary_restarts() { k get pods -l app=op,handover.dev/track=canary -o json | jq -e '[.items[].status.initContainerStatuses[]? | .restartCount] | max >= 2'; }
until_true 90 "the canary's helper has ended twice" canary_restarts
until_true 200 "every pod runs v2" image_is op v2
wait_phase op Stable 120
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op .history)"
