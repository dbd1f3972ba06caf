# A token that the server does not accept: at the start, and one that expires in the middle of the work. A clear message, no
# harm, and it goes on when the server accepts it again.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
fault '{"match":{'"$ours"'},"count":-1,"status":401}'
handover a
until_true 20 "the message" log_says a '401'
fault '{"clear":true}'
until_true 40 "a leads after all" leads a
target op:v1; adopted; before=$(stable_pods)
# expired for everything but the lease, so that the same process sees it end
fault '{"match":{'"$ours"',"path":"/apis/apps/*"},"count":-1,"status":401}'
fault '{"match":{'"$ours"',"path":"/api/v1/*"},"count":-1,"status":401}'
lines=$(wc -l <"$dir/a.log"); set_image op:v2; annotate soak '"4s"'
said() { tail -n +"$((lines + 1))" "$dir/a.log" | grep '401' | has 'deployments\|configmaps'; }
until_true 20 "the message that names what was asked for" said
for_a_while 2 "nothing is tried without a token" no_canary
[ "$(stable_pods)" = "$before" ] || fail "stable pods changed"
fault '{"clear":true}'; promoted op:v2 90
