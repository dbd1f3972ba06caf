# A value that is not allowed changes nothing; an Event says which annotation, what was read, what is allowed. In the middle of a
# rollout it holds; put right, it goes on.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
handover a; target op:v1 canary-percent=lots
said() { events | grep 'handover.dev/canary-percent' | has lots; }
until_true 15 "an Event" said
! paused || fail "paused with a bad annotation"
annotate canary-percent '"50"'; annotate soak '"6s"'; adopted
set_image op:v2; wait_phase Soaking 20; annotate max-error-rate '"-3%"'
holds() { [ "$(state .hold)" = InvalidConfig ]; }
until_true 15 "it holds" holds
for_a_while 8 "it does not promote" holds
annotate max-error-rate '"5%"'; promoted op:v2
