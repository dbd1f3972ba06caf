# A rehearsal as a person sees it: how far it is, what it has found, why it waits; the report that waits can be approved, and no other; what changes
# nothing asks nobody; the report outlives its rollout.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
row='{change:"changed",group:"apps",version:"v1",resource:"deployments",kind:"Deployment",namespace:"shop",name:"web",writes:1,restart:{group:"apps",kind:"Deployment",name:"web",pods:3},
  fields:[{path:"spec.template.spec.containers[web].image",old:"\"web:1\"",new:"\"web:2\"",effect:"restart"}]}'
report() { jq -nc "{apiVersion:\"handover.dev/v1\",kind:\"RehearsalReport\",run:{from:\"2026-11-28T10:00:00Z\",to:\"2026-11-28T10:00:10Z\",reads:9,writes:2},objects:[$1]}"; }
rate='"reconcilesPerSecond":40'
sim --kubernetes 1.37 --script "{\"image\":\"*:v?\",$rate}" --script "{\"image\":\"*:v2\",$rate,\"report\":$(report "$row")}"
handover a --rehearse-image=handover:test; until_true 10 "a leads" leads a
target op:v1 canary-percent=50 soak=3s max-error-rate=5% quiet=1s rehearse=10s max-changes=restarts=0; adopted

ask() { # EXIT-CODE COMMAND... : it ends with that; what it says is in $dir/said
  local rc=0 want=$1; shift
  "$HANDOVER" "$@" --server="$server" >"$dir/said" 2>&1 || rc=$?
  [ $rc = "$want" ] || fail "$* ended with $rc: $(cat "$dir/said")"
}
says() { has -E -- "$1" <"$dir/said" || fail "it does not say $1: $(cat "$dir/said")"; }
shows() { ask 0 explain op && has -E -- "$1" <"$dir/said"; }
held() { [ "$(state .hold)" = AwaitingApproval ]; }

ask 1 diff op; says 'no version of it has been rehearsed yet'
ask 1 approve op; says 'no report of a rehearsal waits for an approval in phase Stable'

# While it goes on
set_image op:v2; wait_phase Rehearsing 10
until_true 15 "explain has what it has found so far" shows 'found so far: 1 workload would restart \(3 pods\)'
until_true 15 "both pods are ready" shows '^Rehearsal, since '; says 'the new version: 9 reads, 2 writes as dry runs'; says "stable's version beside it: "; says 'max-changes: restarts 1 of 0: exceeded'; says '^Pods of the rehearsal$'
ask 1 diff op; says 'op:v2 is being rehearsed until '
ask 1 approve op; says 'no report of a rehearsal waits for an approval in phase Rehearsing: .*allowed now: promote'
ask 0 status op; says 'rehearsal  .*s of 10s$'

# It waits for a person
until_true 60 "a person is asked" held; no_canary || fail "there is a canary"
digest=$(state .rehearsal.digest); [[ $digest =~ ^[0-9a-f]{16}$ ]] || fail "the digest is $digest"
ask 4 status op --wait; says 'max-changes: restarts=1 \(allowed: 0\)'
ask 3 diff op
for line in "^op:v2, template .*, report $digest: of the present rollout, in phase Rehearsing, held: AwaitingApproval$" '^1 workload would restart \(3 pods\)$' '^~ apps/Deployment shop/web$' \
  'image: "web:1" -> "web:2"$' '^To go on all the same: handover approve deployment/op -n default$'; do says "$line"; done
ask 3 diff op -o json; jq -e --arg d "$digest" '.kind == "RehearsalReport" and .digest == $d and .counts.restarts == 1' "$dir/said" >/dev/null || fail "$(cat "$dir/said")"
ask 0 explain op -o json; jq -e --arg d "$digest" '.rehearsal | .over and .digest == $d and .counts.pods == 3 and .limits.restarts == 0 and .approved == null' "$dir/said" >/dev/null || fail "$(cat "$dir/said")"
ask 1 approve op --digest 00000000000000ff; says "the report that waits for an approval is $digest, not 00000000000000ff"
held || fail "another report's digest has let it go on"

ask 0 approve op --as=ann
says "^deployment/op: report $digest: 1 workload would restart \(3 pods\)$"; says '^deployment/op: approve accepted, (Starting|Soaking): '
approved() { events >"$dir/events"; has 'is approved by ann: 1 workload would restart' <"$dir/events"; }
until_true 10 "the Event names who approved" approved
shows "report $digest, approved: handover diff" || fail "explain after the approval: $(cat "$dir/said")"
promoted op:v2
ask 3 diff op; says 'of the version in service$'

# What changes nothing asks nobody
set_image op:v3; promoted op:v3
ask 0 diff op; says '^changes nothing$'; says '^op:v3, .* of the version in service$'
ask 0 release op
ask 1 diff op; says 'no annotation handover.dev/canary-percent'
