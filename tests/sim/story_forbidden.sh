# A missing RBAC verb: one clear message that names verb and resource, nothing harmed; it goes on when the verb is granted.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
fault '{"match":{'"$ours"',"method":"PATCH","path":"*/deployments/*"},"count":-1,"status":403}'
# So does an instance without any right to StatefulSets: Deployments are managed all the same.
fault '{"match":{'"$ours"',"path":"*/statefulsets*"},"count":-1,"status":403}'
handover a; target op:v1
until_true 20 "the message" log_says a 'patch deployments.*403'
! paused || fail "paused although it is forbidden"
[ "$(grep -c '"pause: .*"reason":"ReconcileFailed"' "$dir/a.log")" -le 1 ] || fail "said more than once"
fault '{"clear":true}'; annotate soak '"4s"'; adopted
