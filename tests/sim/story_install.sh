# `handover install` applies what `--dry-run` prints, which is deploy/manifests; `uninstall` leaves nothing of it behind, and nothing while there are targets.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":4}'
api POST /sim/types '{"group":"flowcontrol.apiserver.k8s.io","version":"v1","resource":"flowschemas","kind":"FlowSchema","namespaced":false}' >/dev/null
h() { local want=$1 text=$2; shift 2; local rc=0; "$HANDOVER" "$@" --server="$server" >"$dir/out" 2>&1 || rc=$?; [ $rc = "$want" ] || fail "handover $*: exit code $rc: $(cat "$dir/out")"; has -E "$text" <"$dir/out" || fail "handover $*: $(cat "$dir/out")"; }
dump() { api GET /sim/dump | jq -rS 'select(.kind != "Event") | "\(.kind)/\(.metadata.namespace // "")/\(.metadata.name)"' | sort; }
manifests=("$top"/deploy/manifests/*.yaml "$top"/deploy/manifests/policy/{pdb,flowschema,hold/hold}.yaml)
for f in "${manifests[@]}"; do echo ---; cat "$f"; done >"$dir/all"
h 0 '^kind: Deployment' install --dry-run; diff "$dir/all" "$dir/out" || fail "it prints something else than the files"
"$HANDOVER" install --dry-run --kubernetes=1.20 --image=op:v1 --replicas=3 -n ops >"$dir/out" # without a server
has -F 'image: "op:v1"' <"$dir/out" || fail "no image: $(cat "$dir/out")"
! grep -E 'handover-system|PodDisruptionBudget|kind: MutatingAdmissionPolicy' "$dir/out" || fail "not as asked"
[ "$(dump)" = "$(dump)" ] && dump >"$dir/before"
h 2 'read "1"; allowed is 1.N' install --kubernetes=1
h 0 'deployment.apps/handover applied' install --image=handover:1
dump >"$dir/installed"; grep -q 'MutatingAdmissionPolicy//handover-hold' "$dir/installed" && grep -q 'FlowSchema//handover-leader-election' "$dir/installed" || fail "no policies: $(cat "$dir/installed")"
api GET /apis/apps/v1/namespaces/handover-system/deployments/handover | jq -e '.spec.template.spec.containers[0].image == "handover:1" and (.metadata.managedFields | any(.manager == "handover-cli" and .operation == "Apply"))' >/dev/null || fail "the Deployment"
h 0 'deployment.apps/handover applied' install --image=handover:1 # again: nothing changes
# options of `run`: behind the arguments of the manifests, and there to stay
args() { api GET /apis/apps/v1/namespaces/handover-system/deployments/handover | jq -c '[.spec.template.spec.containers[0] | .image, (.args | length), .args[5:]]'; }
given='["--notify=http://receiver:8080","--page=off"]'
h 0 'deployment.apps/handover applied' install --image=handover:1 --arg=--notify=http://receiver:8080 --arg=--page=off
[ "$(args)" = "[\"handover:1\",7,$given]" ] || fail "the arguments: $(args)"
h 0 '^--page=off is kept' install --image=handover:2
[ "$(args)" = "[\"handover:2\",7,$given]" ] || fail "not kept: $(args)"
h 0 '"--page=off"' install --dry-run
! "$HANDOVER" install --dry-run --kubernetes=1.20 | has -F '"--page=off"' || fail "no server was to be asked"
h 0 'deployment.apps/handover applied' install --image=handover:2 --arg=--page=open
[ "$(args)" = '["handover:2",6,["--page=open"]]' ] || fail "the others are still there: $(args)"
api PATCH /apis/apps/v1/namespaces/handover-system/deployments/handover '{"metadata":{"annotations":{"cli.handover.dev/args":"--page"}}}' application/merge-patch+json >/dev/null
h 1 'annotation cli.handover.dev/args .* read --page; give them again' install --image=handover:2
h 0 'deployment.apps/handover applied' install --image=handover:1 --arg= --force
[ "$(args)" = '["handover:1",5,[]]' ] || fail "arguments are left: $(args)"
# another client's word is kept, and said
api PATCH /apis/apps/v1/namespaces/handover-system/deployments/handover '{"spec":{"replicas":5}}' application/merge-patch+json >/dev/null
h 1 'another client has set it otherwise: --force' install --image=handover:1
h 0 'deployment.apps/handover applied' install --image=handover:1 --force
# what Handover makes for itself
api POST /apis/coordination.k8s.io/v1/namespaces/handover-system/leases '{"metadata":{"name":"handover"}}' >/dev/null
# not while there are targets
target op:v1
h 1 'deployment/op in namespace default is a target.*|handover release --all -A' uninstall
lost() { comm -23 <(grep -v ^Pod/ "$dir/installed") <(dump); } # pods come and go with the replicas
[ -z "$(lost)" ] || fail "it deleted: $(lost)"
api DELETE "$deploy/op" >/dev/null; op_gone() { ! dump | has "/op"; }; until_true 10 "op is gone" op_gone
h 0 'namespace/handover-system deleted' uninstall --timeout=20s
after() { diff "$dir/before" <(dump) >"$dir/diff"; }
until_true 20 "nothing is left" after || fail "$(cat "$dir/diff")"
h 0 '^$' uninstall
# in a namespace that was there, which stays with all else that is in it
api POST /api/v1/namespaces '{"metadata":{"name":"ops"}}' >/dev/null; api POST /api/v1/namespaces/ops/configmaps '{"metadata":{"name":"theirs"}}' >/dev/null
dump >"$dir/before"
h 0 'namespace/ops is there already' install -n ops --image=handover:1
api POST /apis/coordination.k8s.io/v1/namespaces/ops/leases '{"metadata":{"name":"handover"}}' >/dev/null
api POST /api/v1/namespaces/ops/configmaps '{"metadata":{"name":"handover-checkpoint-1","labels":{"handover.dev/checkpoint":"part"}}}' >/dev/null
h 0 'namespace/ops stays' uninstall -n ops --timeout=20s
until_true 20 "only theirs is left" after || fail "$(cat "$dir/diff")"
# what others have installed is theirs to take away
api POST /api/v1/namespaces/ops/serviceaccounts '{"metadata":{"name":"handover"}}' >/dev/null
h 1 'serviceaccount/handover stays.*|1 objects stay' uninstall -n ops
