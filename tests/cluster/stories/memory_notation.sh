# 64Mi and 67108864 are the same amount: writing it differently is no update.
MEMORY=64Mi apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
MEMORY='"67108864"' apply op v1 "${quick[@]}"
for_a_while 8 "no rollout for the same amount" no_canary op
[ "$(phase op)" = Stable ] || fail "phase is $(phase op)"
same_pods op "$before"
