# The command that docs/operations.md gives to pipelines ends by itself: 0 for a version in service, 1 for one that was rolled back, 124 in time.
. "$(dirname "$0")/lib.sh"
eval "$(sed -n '/^```sh pipeline$/,/^```$/p' "$(dirname "$0")/../../docs/operations.md" | grep -v '^```')"
cat >"$dir/kubectl" <<END # get deployment NAME -n NS -o jsonpath=...
#!/bin/sh
curl -sS -f "$(printf %s '$SERVER')$deploy/\$3" | jq -r '.metadata.annotations["handover.dev/status"] // ""'
END
chmod +x "$dir/kubectl"; export PATH="$dir:$PATH"
sim --script '{"image":"*:bad","errorRate":0.5,"reconcilesPerSecond":40}' --script '{"image":"*:v?","reconcilesPerSecond":40}'
export SERVER=$server
handover a; target op:v1; adopted
wait_for_handover op default op:v2 3 && fail "v2 is not even set" || [ $? = 124 ] || fail "it does not end in time"
set_image op:v2; wait_for_handover op default op:v2 90 | has "op:v2 is in service" || fail "v2 is in service, and it does not say so"
set_image op:bad; rc=0; wait_for_handover op default op:bad 90 >"$dir/said" || rc=$?
[ $rc = 1 ] || fail "ended with $rc"; grep -q "^RolledBack: op:bad was rolled back: " "$dir/said" || fail "it says $(cat "$dir/said")"
