# PodSecurity forbids the new version's pods: named with its words, no verdict; the next version that it allows goes through.
served "the label pod-security.kubernetes.io/enforce" 23
in_cluster kubectl label namespace "$NS" pod-security.kubernetes.io/enforce=restricted >/dev/null
RESTRICTED=1 apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
k patch deployment op -p '{"spec":{"template":{"spec":{"containers":[{"name":"operator","image":"'"${OPERATOR_IMAGE:-localhost/operator}"':v2","securityContext":{"allowPrivilegeEscalation":true}}]}}}}' >/dev/null
held() { state op '(.hold // "") + " " + .message' | has 'PodsNotCreated.*violates PodSecurity'; }
until_true 40 "the refused canary is named with PodSecurity's own words" held
for_a_while 5 "it is no verdict" held
same_pods op "$before"
RESTRICTED=1 apply op v2 "${quick[@]}"
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 60
[ "$(state op '[.history[] | select(.result == "rolledBack")] | length')" = 0 ] || fail "a verdict was given: $(state op .history)"
