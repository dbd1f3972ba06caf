# kube-controller-manager, with all its controllers, runs in a rehearsal beside its live self: at rest nothing at all is written and nothing is reported;
# then for minutes others change ten things a second. What it asked of the API server are dry runs alone (the audit log), and what it would have done
# its live self does as well: beside a second rehearsal of it, nothing is left in the report. SECONDS_OF_CHURN.
# tags: long api
# seconds: 1500
. ./rehearsals.sh
. ./operators.sh
have_program kube-controller-manager
churn_s=${SECONDS_OF_CHURN:-300}
d=$(mktemp -d); pids=()
trap 'for p in ${pids[@]+"${pids[@]}"}; do kill "$p" 2>/dev/null || true; done; wait; rm -rf "$d"' EXIT
rehearsals_kubeconfig operator "$d/kubeconfig"
# Without those that need keys of the control plane, and the one that would see other kubelets' certificates.
rehearse() { # NAME SECONDS [OPTION...] : of kube-controller-manager; its report in $d/NAME.json, its exit code in $d/NAME.rc
  local name=$1 seconds=$2 rc=0; shift 2
  in_cluster "$HANDOVER_BIN" rehearse --kubeconfig "$d/kubeconfig" --for "${seconds}s" --quiet-for 0s -o json "$@" -- \
    "$program" --kubeconfig={} --controllers='*,-serviceaccount-token-controller,-certificatesigningrequest-signing-controller' --secure-port=0 --root-ca-file="$CLUSTER_DIR/pki/ca.crt" \
    --leader-elect=true --kube-api-qps=100 --kube-api-burst=200 -v=1 >"$d/$name.json" 2>"$d/$name.log" || rc=$?
  echo $rc >"$d/$name.rc"
}

# ---- at rest ----
quiet_deployment() { printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: %s}\nspec:\n  replicas: %s\n  selector: {matchLabels: {app: %s}}\n  template:\n    metadata: {labels: {app: %s}}\n    spec: {nodeSelector: {nowhere: "1"}, terminationGracePeriodSeconds: 0, containers: [{name: c, image: none}]}\n---\n' "$1" "$NS" "$2" "$1" "$1"; }
for i in 1 2 3 4 5; do quiet_deployment "d$i" 2; done | in_cluster kubectl apply -f - >/dev/null
settled() { [ "$(k get pods -o json | jq '.items | length')" = 10 ] && [ "$(k get deployments -o json | jq '[.items[] | select(.status.observedGeneration == .metadata.generation and .status.replicas == 2)] | length')" = 5 ]; }
until_true 60 "five Deployments have their pods" settled
sleep 5 # their last status updates
dump >"$d/before"
rehearse rest 40
dump >"$d/after"
[ "$(cat "$d/rest.rc")" = 0 ] || { tail -5 "$d/rest.log"; jq -c '.summary, (.objects // [])[:5], .refusals' "$d/rest.json"; fail "at rest it would change something ($(cat "$d/rest.rc"))"; }
diff "$d/before" "$d/after" | cut -c1-300 >"$d/diff" || { head -5 "$d/diff"; fail "etcd is not as it was"; }
grep -q 'became leader\|successfully acquired lease' "$d/rest.log" || { tail -20 "$d/rest.log"; fail "it did not lead"; }
dry_runs_alone its operator
note "at rest: $(wc -l <"$d/before") keys of etcd are equal, $(jq -c '.run | [.reads, .writes]' "$d/rest.json") reads and writes, report: $(jq -r .summary "$d/rest.json")"

# ---- ten changes a second by others ----
api=http://localhost/apis/apps/v1/namespaces/$NS core=http://localhost/api/v1/namespaces/$NS
change() {
  local i=$1 d=$api/deployments/d$(($1 / 5 % 5 + 1))
  case $((i % 5)) in
    0) merge "$d" "{\"spec\":{\"replicas\":$((i / 5 % 3))}}" ;;
    1) create "$core/configmaps" "{\"metadata\":{\"name\":\"c$i\"},\"data\":{\"i\":\"$i\"}}" ;;
    2) [ "$i" -lt 60 ] || send -X DELETE "$core/configmaps/c$((i - 51))" ;;
    3) merge "$d" "{\"metadata\":{\"annotations\":{\"i\":\"$i\"}}}" ;;
    4) if [ $((i % 50)) = 4 ]; then merge "$api/deployments/d$((i / 50 % 5 + 1))" "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"i\":\"$i\"}}}}}"
       else merge "$d" "{\"metadata\":{\"labels\":{\"i\":\"$i\"}}}"; fi ;;
  esac
}
churn change "$d/answers" 2>/dev/null & pids+=($!); churner=$!
rehearse control "$((churn_s + 10))" & pids+=($!); control=$!
rehearse update "$((churn_s + 20))" --control "$d/control.json" & pids+=($!); update=$!
sleep "$churn_s"; kill "$churner"
wait "$control" "$update"
dry_runs_alone its operator
churned "$d/answers" "$churn_s"
note "$changes changes by others in $churn_s s; $(jq -c '.run | {reads, writes, conflicts, refused, failed}' "$d/update.json"); control: $(jq -r .summary "$d/control.json")"
[ "$(cat "$d/update.rc") $(jq -r .summary "$d/update.json")" = "0 changes nothing" ] || { jq -c '.summary, .refusals, (.objects // [])[:8]' "$d/update.json" | cut -c1-3000; fail "an unchanged version is reported ($(cat "$d/update.rc")): $(jq -r .summary "$d/update.json")"; }
