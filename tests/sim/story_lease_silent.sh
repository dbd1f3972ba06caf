# The leader's renewals go unanswered: it stops by itself at its renew deadline and changes nothing more; the other takes over.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
handover a; until_true 10 "a leads" leads a; target op:v1; adopted
fault '{"match":{"userAgent":"handover*","method":"PUT","path":"*/leases/handover"},"count":-1,"silent":true}'
until_true 15 "a gives up" log_says a "lease is lost"
rc=0; wait "$pid_a" || rc=$?; [ $rc = 6 ] || fail "exit code $rc after a lost lease"
fault '{"clear":true}'
handover b; until_true 15 "b leads" leads b; set_image op:v2; promoted op:v2
