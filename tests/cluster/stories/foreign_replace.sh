# `kubectl replace` with a manifest without `paused` in the middle of a rollout.
# tags: oldest
apply op v1 "${quick[@]}"; adopted op
set_image op bad; until_true 20 "a canary pod" some_canary op
manifest op bad "${quick[@]}" | k replace -f - >/dev/null
until_true 30 "paused again" paused op
wait_phase op RolledBack 90
until_true 60 "every stable pod runs v1" image_is op v1
