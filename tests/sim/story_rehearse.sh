# `handover rehearse` runs an operator against a cluster without a single write: what it believes to have done is in the report, exit code 3; what its
# predecessor would do as well (--control) is not; one that changes nothing ends with 0, one that dies or asks nothing with 1; nothing is left behind.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
sim
export TMPDIR=$dir/tmp; mkdir "$TMPDIR"
cat >"$dir/operator" <<'OPERATOR'
#!/usr/bin/env bash
# operator IMAGE KUBECONFIG... : holds a Lease, wants Deployment web to have this image, and a ConfigMap beside it
set -euo pipefail
image=$1 config=$2; shift 2
value() { sed -nE "s/^ *$1: \"?([^\"]*)\"?\$/\1/p" "$config" | head -1; }
server=$(value server) token=$(value token)
ca=$(mktemp); trap 'rm -f "$ca"' EXIT; value certificate-authority-data | base64 -d >"$ca"
ask() { curl -sS --cacert "$ca" -H "Authorization: Bearer $token" -H "Content-Type: ${3:-application/json}" -X "$1" "$server$2" "${@:4}"; }
cms=/api/v1/namespaces/default/configmaps web=/apis/apps/v1/namespaces/default/deployments/web
ask POST /apis/coordination.k8s.io/v1/namespaces/default/leases '' -d '{"metadata":{"name":"operator"},"spec":{"holderIdentity":"me","leaseDurationSeconds":15}}' -f >/dev/null
ask GET "$cms?watch=true" '' -N >"$WATCHED" & watch=$!; trap 'rm -f "$ca"; kill $watch 2>/dev/null' EXIT
while :; do
  if [ "$(ask GET $web | jq -r '.spec.template.spec.containers[0].image')" != "$image" ]; then
    ask PATCH $web application/strategic-merge-patch+json -f -d '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"'"$image"'"}]}}}}' >/dev/null
  fi
  if [ "$image" != web:1 ] && ! ask GET $cms/web-conf '' -f >/dev/null 2>&1; then
    ask POST $cms '' -f -d '{"metadata":{"name":"web-conf"},"data":{"image":"'"$image"'"}}' >/dev/null
  fi
  if [ "$image" = web:3 ] && ask GET $cms/old-conf '' -f >/dev/null 2>&1; then ask DELETE $cms/old-conf '' -f >/dev/null; fi
  echo "reconciled $image"; sleep 0.2
done
OPERATOR
chmod +x "$dir/operator"
api POST "$deploy" '{"metadata":{"name":"web"},"spec":{"replicas":2,"selector":{"matchLabels":{"a":"web"}},"template":{"metadata":{"labels":{"a":"web"}},
  "spec":{"containers":[{"name":"web","image":"web:1"}]}}}}' >/dev/null
api POST /api/v1/namespaces/default/configmaps '{"metadata":{"name":"old-conf"},"data":{"a":"b"}}' >/dev/null
settled() { api GET "$deploy/web" | jq -e '.status.readyReplicas == 2'; }
until_true 20 "web runs" settled
dump() { # of all that could have been changed
  local p; for p in "$deploy" /apis/apps/v1/namespaces/default/replicasets /api/v1/namespaces/default/{configmaps,pods,events} \
    /apis/coordination.k8s.io/v1/namespaces/default/leases; do api GET "$p" | jq -S '.items'; done
}
rehearse() { # EXIT-CODE ARGUMENT... : it ends with that; what it prints is in $dir/said, its errors in $dir/rehearse.log
  local rc=0 want=$1; shift
  WATCHED=$dir/watched "$HANDOVER" rehearse --server="$server" --quiet-for=3s "$@" >"$dir/said" 2>"$dir/rehearse.log" || rc=$?
  [ $rc = "$want" ] || fail "rehearse $* ended with $rc: $(tail -5 "$dir/said" "$dir/rehearse.log")"
}
is() { jq -e "$1" "$dir/said" >/dev/null || fail "the report is not so: $1: $(cat "$dir/said")"; }
dump >"$dir/before"

rehearse 0 -- "$dir/operator" web:1 {}
grep -q 'changes nothing' "$dir/said" || fail "of one that changes nothing: $(cat "$dir/said")"
grep -q 'reconciled web:1' "$dir/rehearse.log" || fail "what it prints is not seen"
rehearse 3 -o json -- "$dir/operator" web:2 {}
is '.kind == "RehearsalReport" and (.objects | length) == 2'
is '.objects | any(.kind == "Deployment" and .name == "web" and .change == "changed" and (.fields | any(.new == "\"web:2\"")) and .restart.pods == 2)'
is '.objects | any(.kind == "ConfigMap" and .name == "web-conf" and .change == "created")'
grep -q '"type":"ADDED".*"name":"web-conf"' "$dir/watched" || fail "the operator did not see what it had made: $(cat "$dir/watched")"
is '.objects | all(.writes == 1)' # it believes what it did, and goes on
cp "$dir/said" "$dir/two.json"
rehearse 0 --control="$dir/two.json" -- "$dir/operator" web:2 {}
rehearse 3 -o json --control="$dir/two.json" -- "$dir/operator" web:3 {}
is '.objects | any(.kind == "ConfigMap" and .name == "old-conf" and .change == "deleted")'
rehearse 3 -- "$dir/operator" web:3 {}
grep -q old-conf "$dir/said" || fail "the report for people lacks what goes: $(cat "$dir/said")"

logged() { grep -qE -- "$1" "$dir/rehearse.log" || fail "it does not say $1: $(cat "$dir/rehearse.log")"; }
rehearse 1 -- sh -c 'exit 7'; logged 'ended with exit code 7 after .*, and asked the API server nothing: put \{\} into its arguments'
rehearse 1 -- sh -c 'exit 7' --kubeconfig={}; logged 'asked the API server nothing: is \{\} where it takes a kubeconfig'
rehearse 1 -- sh -c 'exit 0'; logged 'ended with exit code 0 after .*, and asked the API server nothing'
rehearse 1 -- sh -c 'kill -SEGV $$'; logged 'was ended by signal 11 \(Segmentation fault\) after '
cat >"$dir/refused" <<'OPERATOR'
#!/usr/bin/env bash
value() { sed -nE "s/^ *$1: \"?([^\"]*)\"?\$/\1/p" "$config" | head -1; }
config=$1 server=$(value server) token=$(value token)
c() { curl -sk -o /dev/null -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }
case $2 in conflict | exists) ;; *) c -X POST "$server/api/v1/namespaces/default/configmaps" -d '{"metadata":{"name":"Not A Name"}}' ;; esac
[ "$2" != once ] || exit 5
case $2 in
  conflict) c -X PUT "$server/api/v1/namespaces/default/configmaps/old-conf" -d '{"metadata":{"name":"old-conf","resourceVersion":"1"}}'; exit ;;
  exists) c -X POST "$server/api/v1/namespaces/default/configmaps" -d '{"metadata":{"name":"old-conf"}}'; exit ;;
esac
[ "$2" != flips ] || for _ in 1 2 3 4 5 6 7 8; do
  c -X POST "$server/api/v1/namespaces/default/configmaps" -d '{"metadata":{"name":"flip"}}'; c -X DELETE "$server/api/v1/namespaces/default/configmaps/flip"
done
[ "$2" = refused ] || [ "$2" = flips ] || c -X POST "$server/api/v1/namespaces/default/configmaps" -d '{"metadata":{"name":"made"}}'
[ "$2" != ends ] || exit 5
OPERATOR
chmod +x "$dir/refused"
# Nothing of it was taken; that something is there already is an answer.
rehearse 1 -- "$dir/refused" {} conflict; logged 'could not be found out'
rehearse 0 -- "$dir/refused" {} exists
rehearse 1 -- "$dir/refused" {} refused; grep -q 'could not be found out' "$dir/rehearse.log" || fail "of one whose writes all fail: $(cat "$dir/rehearse.log")"
grep -qE '^changes nothing, 1 kind of request failed$' "$dir/said" && grep -qE '^  1 x create configmaps: 422 Invalid: ConfigMap "\*" is invalid: ' "$dir/said" || fail "of what failed: $(cat "$dir/said")"
rehearse 1 -- "$dir/refused" {} once; logged 'ended with exit code 5 after .*, with 1 request$'
rehearse 0 -o json -- "$dir/refused" {} flips
is '.counts.hot == 1 and .counts.failed == 1 and (.objects | length) == 1 and (.objects[0] | .name == "flip" and .change == "none" and .writes == 16)'
is '.failures | length == 1 and (.[0] | .what == "create configmaps" and .count == 1 and (.why | startswith("422 Invalid: ")))'
rehearse 3 -- "$dir/refused" {} made
rehearse 1 -o json -- "$dir/refused" {} ends; grep -q 'ended with exit code 5' "$dir/rehearse.log" || fail "$(cat "$dir/rehearse.log")"
is '.objects | any(.name == "made")' # what it had come to
rehearse 1 --for=1s -- sleep 60; logged 'sleep asked the API server nothing in 1s: put \{\} into its arguments'
rehearse 1 -- "$dir/nothing"; grep -q 'cannot start .*/nothing' "$dir/rehearse.log" || fail "$(cat "$dir/rehearse.log")"

"$HANDOVER" rehearse --server="$server" >"$dir/said" 2>"$dir/served.log" & pid=$!; pids+=("$pid")
until_true 10 "it says where" grep -q KUBECONFIG= "$dir/served.log"
config=$(sed -n 's/.*KUBECONFIG=//p' "$dir/served.log")
[ "$(stat -c %a "$config")" = 600 ] || fail "its kubeconfig is for others to read: $(stat -c %a "$config")"
WATCHED=$dir/watched "$dir/operator" web:2 "$config" >"$dir/operator.log" 2>&1 & op=$!; pids+=("$op")
until_true 10 "the operator works" grep -q 'reconciled' "$dir/operator.log"
kill "$op"; kill -TERM "$pid"; rc=0; wait "$pid" || rc=$?
[ $rc = 3 ] && grep -q web-conf "$dir/said" || fail "served: exit code $rc: $(cat "$dir/said")"

# Beside an operator in its pod: its credentials in a folder, its report for who knows the key.
mkdir "$dir/account"
HANDOVER_REHEARSAL_KEY=0123456789abcdef "$HANDOVER" rehearse --server="$server" --sidecar="$dir/account" --report=127.0.0.1:0 >"$dir/said" 2>"$dir/sidecar.log" & pid=$!; pids+=("$pid")
until_true 10 "the sidecar is there" grep -q 'its report at port' "$dir/sidecar.log"
report=http://127.0.0.1:$(sed -n 's/.*its report at port //p' "$dir/sidecar.log") proxy=$(grep -oE 'https://[0-9.:]+' "$dir/sidecar.log")
curl -sS -f "$report/readyz" >/dev/null || fail "the sidecar is not ready"
[ "$(cat "$dir/account/namespace")" = default ] || fail "its namespace: $(cat "$dir/account/namespace")"
curl -sS -f --cacert "$dir/account/ca.crt" -H "Authorization: Bearer $(cat "$dir/account/token")" -X DELETE "$proxy/api/v1/namespaces/default/configmaps/old-conf" >/dev/null || fail "its credentials are not good"
for key in '' '?key=' '?key=0123456789abcdeX' '?key=0123456789abcdef0'; do
  rc=$(curl -sS -o "$dir/no" -w '%{http_code}' "$report/report$key"); [ "$rc" = 403 ] || fail "the report is open to who says \"$key\": $rc"
done
curl -sS -f "$report/metrics" | grep rehearsal_requests_total >"$dir/counted" || true
grep -q '{.*verb="delete".*} 1$' "$dir/counted" || fail "the sidecar does not count: $(cat "$dir/counted")"
curl -sS -f "$report/report?key=0123456789abcdef" >"$dir/said"
is '.objects | any(.name == "old-conf" and .change == "deleted")'
# A last report: what was written has the time to come about live, what is written then waits for it.
asks() { curl -sS -m 20 --cacert "$dir/account/ca.crt" -H "Authorization: Bearer $(cat "$dir/account/token")" -H 'Content-Type: application/json' -o /dev/null -w '%{http_code}' "$@"; } # CURL'S ARGUMENTS
maps=api/v1/namespaces/default/configmaps
for map in 'soon' 'never'; do rc=$(asks -d "{\"metadata\":{\"name\":\"$map\"}}" "$proxy/$maps"); [ "$rc" = 201 ] || fail "$map: $rc"; done
curl -sS -N --cacert "$dir/account/ca.crt" -H "Authorization: Bearer $(cat "$dir/account/token")" "$proxy/$maps?watch=true" >"$dir/watch" 2>&1 & pids+=($!)
until_true 10 "it watches" grep -q never "$dir/watch"
curl -sS -f -m 20 "$report/report?key=0123456789abcdef&settled=true" >"$dir/said" & settles=$!
held() { asks -m 1 -d '{"metadata":{"name":"refused"}}' "$proxy/$maps?dryRun=All" >/dev/null; [ $? = 28 ]; }
until_true 5 "what is written waits" held
asks -d '{"metadata":{"name":"late"}}' "$proxy/$maps" >"$dir/late" & late=$!
curl -sS -f -H 'Content-Type: application/json' -d '{"metadata":{"name":"soon"}}' "$server/$maps" >/dev/null
wait "$settles" || fail "no last report"
is '.objects | (any(.name == "never" and .change == "created") and all(.name != "late") and any(.name == "soon" and .met))'
wait "$late"; [ "$(cat "$dir/late")" = 201 ] || fail "what waited was answered $(cat "$dir/late")"
rc=$(curl -sS -o "$dir/no" -w '%{http_code}' "$report/report?key=0123456789abcdef&whole"); [ "$rc" = 400 ] || fail "an unknown word behind the key: $rc"
curl -sS -f -X DELETE "$server/$maps/soon" >/dev/null
kill -TERM "$pid"; wait "$pid" || true

dump >"$dir/after"; diff "$dir/before" "$dir/after" >"$dir/diff" || fail "something was written: $(cat "$dir/diff")"
left=$(ls -A "$TMPDIR"); [ -z "$left" ] || fail "left behind: $left"
