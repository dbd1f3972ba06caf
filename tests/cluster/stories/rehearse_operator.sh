# An operator on controller-runtime, with a finalizer on its widgets, a status, and a Deployment for each, applied server-side. It is rehearsed for minutes beside its live
# self while others change ten things a second: widgets come, change and go, what the operator wrote is changed. A version that changes nothing has an empty report;
# of one that changes the pods' template of some, makes some anew and deletes others, exactly these are named, the rollout waits for a person's word, and
# after it exactly these restart and go. What the rehearsals' pods ask are dry runs alone (the audit log), and nothing that they write ever comes to
# etcd, whose every change is looked at for their names. REHEARSE.
# operator: controller-runtime
# tags: long
# seconds: 2700
. ./rehearsals.sh
. ./operators.sh
OPERATOR_IMAGE=localhost/controller-runtime rehearse=${REHEARSE:-5m}
NS=rehearsed # the audit policy has it
d=$(mktemp -d); recorder='' churner=''
tidy() {
  for p in $recorder $churner; do kill "$p" 2>/dev/null || true; done; wait
  k delete deployment op --cascade=foreground >/dev/null 2>&1 || true # nobody sets a finalizer any more
  for p in $(k get widgets -o name 2>/dev/null); do k patch "$p" --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null 2>&1 || true; done
  in_cluster kubectl delete namespace "$NS" --wait=false >/dev/null 2>&1 || true
  rm -rf "$d"
}
trap tidy EXIT
free() { ! in_cluster kubectl get namespace "$NS" >/dev/null 2>&1; }
until_true 120 "the namespace of an earlier run is gone" free
in_cluster kubectl create namespace "$NS" >/dev/null

common=(children=1 observed=1 sign=1 release=1 rate=1 writes=0)
operator_controller_runtime_image v1 "${common[@]}"
operator_controller_runtime_image same "${common[@]}"
operator_controller_runtime_image v2 "${common[@]}" template=two template-shard=3 recreate-shard=2 drop-shard=4
widgets 5
account op system:auth-delegator | in_cluster kubectl apply -f - >/dev/null
{ operator_controller_runtime op v1 mode=leader rehearse="$rehearse" max-changes=restarts=0,deletes=0 "${quick[@]}" soak=10s deadline=20m
  echo ---; allowed op children '{apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, create, update, patch, delete]}' '{apiGroups: [example.com], resources: [widgets, widgets/finalizers], verbs: ["*"]}'
} | in_cluster kubectl apply -f - >/dev/null
children() { k get deployments -o json | jq -r '.items[] | select(.metadata.name | startswith("child-w")) | "\(.metadata.name) \(.spec.template.metadata.annotations["example.com/template"] // "-")  \(.metadata.uid)"' | sort; }
pods_of_children() { k get pods -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null and .metadata.labels["child-of"]) | "\(.metadata.labels["child-of"]) \(.metadata.uid)"' | sort; }
made() { [ "$(children | wc -l)" = 5 ] && [ "$(pods_of_children | wc -l)" = 5 ]; }
report() { field configmap/op-handover-rehearsal '{.data.report}' 2>/dev/null || k get configmap op-handover-rehearsal -o json | jq -r '.data | to_entries[0].value'; }
H() { in_cluster "$HANDOVER_BIN" "$@" -n "$NS" --kubeconfig "$CLUSTER_DIR/pki/admin.kubeconfig"; }
rehearsing() { k get pods -l handover.dev/rehearsal -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null) | .metadata.name'; }

# ---- what others do: a second's work is a widget that comes, is changed at once (a conflict with its finalizer's update), and goes after 6 s; the operator's own
# fields of its children and of a widget's status are changed ----
api=http://localhost/apis/example.com/v1/namespaces/$NS/widgets apps=http://localhost/apis/apps/v1/namespaces/$NS/deployments core=http://localhost/api/v1/namespaces/$NS/configmaps
change() {
  local i=$1 n=$(($1 / 10)) w=w$(($1 / 10 % 5 + 1))
  case $((i % 10)) in
    0) create "$api" "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"c$n\",\"labels\":{\"for\":\"all\"}},\"spec\":{\"replicas\":0,\"size\":1}}" ;;
    1) merge "$api/c$n" "{\"spec\":{\"size\":$i}}" ;;
    2) merge "$apps/child-$w" '{"metadata":{"labels":{"example.com/widget":"foreign"}}}' ;;
    3) merge "$api/$w" "{\"spec\":{\"size\":$i}}" ;;
    4) [ $n -lt 7 ] || send -X DELETE "$api/c$((n - 6))" ;;
    5) merge "$apps/child-$w" "{\"metadata\":{\"annotations\":{\"i\":\"$i\"}}}" ;;
    6) merge "$api/$w/status" '{"status":{"size":-1}}' ;;
    7) create "$core" "{\"metadata\":{\"name\":\"c$n\"}}" ;;
    8) merge "$api/c$n" "{\"metadata\":{\"annotations\":{\"i\":\"$i\"}}}" ;;
    9) send -X DELETE "$core/c$n" ;;
  esac
}
# rehearsed TAG : the image is set, rehearsed under churn, and what etcd and the audit log say is looked at
rehearsed() {
  local t=$SECONDS began pod live asked
  record "$d/etcd"; set_image op "$1"
  wait_phase op Rehearsing 60
  two() { [ "$(rehearsing | wc -l)" = 2 ]; }
  until_true 90 "two pods rehearse" two
  live=$(held_pod) pods_rehearsing=$(rehearsing)
  began=$SECONDS; : >"$d/answers"; churn change "$d/answers" 2>/dev/null & churner=$!
  over() { [ "$(phase op)" != Rehearsing ] || [ -n "$(state op '.hold // ""')" ]; }
  target=op; until_true 600 "the rehearsal is over" over
  kill "$churner"; wait "$churner" 2>/dev/null || true; churner=
  churned "$d/answers" $((SECONDS - began))
  recorded "$d/etcd"
  for pod in $pods_rehearsing; do
    [ "$(with_word "$d/etcd" "at-$pod")" = 0 ] || { grep -aF "at-$pod" "$d/etcd" | cut -c1-300 | sed -n 1,3p; fail "etcd was given what $pod wrote"; }
    dry_runs_alone of_pod "$pod"
    asked=$(of_pod "$pod" | jq -rc 'select((.responseStatus.code // 0) < 300) | [.verb, .objectRef.resource, .objectRef.subresource // empty] | join(" ")' | sort | uniq -c | sort -rn | sed 's/^ *//')
    for what in 'patch deployments' 'delete deployments' 'update widgets' 'update widgets status'; do
      grep -qE "^[0-9]+ $what$" <<<"$asked" || fail "$pod did no '$what': $asked"
    done
    # The last report is made when its writes have waited for 2 s.
    [ "$(gap "$pod")" -ge 1900 ] || fail "$pod never waited: at most $(gap "$pod") ms between two writes"
    ! grep -q leases <<<"$asked" || fail "$pod asked the API server for its Lease: $asked"
  done
  [ "$(with_word "$d/etcd" "at-$live")" -gt "$((SECONDS - began))" ] || fail "etcd was looked at in vain: of the live operator it has $(with_word "$d/etcd" "at-$live") writes"
  note "$1: $changes changes by others in $((SECONDS - began)) s; etcd was changed $(wc -l <"$d/etcd") times, $(with_word "$d/etcd" "at-$live") of these with what the live operator wrote, none with what was rehearsed"
  note "$1: $(report | jq -r .summary), after $((SECONDS - t)) s; $(report | jq -c '.run | {reads, writes, conflicts, refused, failed}'); taken: $(paste -sd, <<<"$asked")"
}
gap() { # POD : ms, the longest between two of its writes
  of_pod "$1" | jq -r '.requestReceivedTimestamp | (sub("\\.[0-9]+Z"; "Z") | fromdate) * 1000 + (capture("\\.(?<f>[0-9]{3})").f | tonumber)' | sort -n |
    awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { print most + 0 }'
}
held_pod() { local h; h=$(holder widget); echo "${h%_*}"; }

until_true 60 "Handover has taken it" adopted op
until_true 120 "five children run (are: $(children))" made
before=$(children) pods=$(pods_of_children)

# ---- a version that changes nothing ----
rehearsed same
[ "$(children)" = "$before" ] || fail "a child has another template: $(children)"
report | jq -e '(.objects // []) == []' >/dev/null || fail "the report is not empty: $(report | head -c 2000)"
until_true 400 "promoted" image_is op same; wait_phase op Stable 60
[ "$(children)" = "$before" ] || fail "a child changed: $(children)"

# ---- one that restarts those of shards 2 and 3, and has none of shard 4 ----
rehearsed v2
waits() { [ "$(state op .hold)" = AwaitingApproval ]; }
target=op; until_true 60 "it waits for a person (is $(phase op))" waits
[ "$(pods_of_children)" = "$pods" ] || fail "pods of children changed before anybody approved"
restarts() { report | jq -r '.objects[] | select(.restart and (.change == "recreated" or any(.fields[]?; .effect == "restart"))) | .name' | sort | paste -sd' '; }
of_change() { report | jq -r --arg c "$1" '.objects[] | select(.change == $c) | .name' | sort | paste -sd' '; }
is="$(restarts), $(of_change recreated), $(of_change deleted), $(of_change created)"
[ "$is" = "child-w2 child-w3, child-w2, child-w4, " ] || fail "named are: $is: $(report | head -c 3000)"
note "held: $(state op .message)"
H diff op | sed -n 1,20p || [ "${PIPESTATUS[0]}" = 3 ]
H approve op
until_true 500 "promoted" image_is op v2; wait_phase op Stable 60
now() { diff <(pods_of_children) <(echo "$pods") | grep '^[<>]' | sort | awk '{print $1 $2}' | paste -sd' '; }
as_named() { [ "$(now)" = '<w2 <w3 >w2 >w3 >w4' ]; }
until_true 120 "those that were named have restarted, or are gone" as_named
[ "$(children | awk '{print $1}' | paste -sd' ')" = "child-w1 child-w2 child-w3 child-w5" ] || fail "children are: $(children)"
note "after approval: promoted, exactly child-w2 and child-w3 restarted, child-w4 is gone"
