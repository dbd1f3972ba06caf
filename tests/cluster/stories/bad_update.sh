# A failing version is rolled back while stable's pods never restart; its template is quarantined; the next version is tried.
# tags: oldest
apply op v1 "${quick[@]}"; adopted op
before=$(pods_of op)
set_image op bad
until_true 20 "a canary pod" some_canary op
wait_phase op RolledBack 60
canary_gone op
same_pods op "$before"
[ "$(field deployment/op '{.spec.template.spec.containers[0].image}')" = localhost/operator:bad ] || fail "the user's spec was changed"
paused op || fail "not paused after the rollback: the failing version would start"
until_true 10 "an Event says that it was rolled back" event_seen RolledBack # sent after the state was written
note "quarantine holds"; for_a_while 5 "no canary of a quarantined template" no_canary op
set_image op v2
until_true 90 "every pod runs v2" image_is op v2
wait_phase op Stable 30
