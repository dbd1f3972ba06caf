# What stories of `handover rehearse` share: who asks, with all rights there are, and what etcd and the audit log say of it. Sourced by stories, after lib.sh.

[ -n "${OWN_CLUSTER:-}" ] || skip "it needs this cluster's etcd and audit log"
served "rehearsals of native clients" 29
audit=$CLUSTER_DIR/log/audit.jsonl

# rehearsals_kubeconfig ACCOUNT FILE : sets token. cluster.sh's audit policy has the accounts.
rehearsals_kubeconfig() {
  in_cluster kubectl create namespace rehearsals --dry-run=client -o yaml | in_cluster kubectl apply -f - >/dev/null
  in_cluster kubectl -n rehearsals create serviceaccount "$1" --dry-run=client -o yaml | in_cluster kubectl apply -f - >/dev/null
  in_cluster kubectl create clusterrolebinding "rehearsals-$1" --clusterrole=cluster-admin --serviceaccount="rehearsals:$1" --dry-run=client -o yaml | in_cluster kubectl apply -f - >/dev/null
  token=$(in_cluster kubectl -n rehearsals create token "$1" --duration=2h)
  cat >"$2" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:443", certificate-authority: $CLUSTER_DIR/pki/ca.crt}}]
users: [{name: u, user: {token: "$token"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
YAML
}
# Every key of etcd with its value, in base64.
dump_all() {
  in_cluster curl -sf -m 60 http://127.0.0.1:2379/v3/kv/range -d "{\"key\":\"$(printf /registry/ | base64)\",\"range_end\":\"$(printf /registry0 | base64)\"}" |
    jq -r '.kvs[] | [(.key | @base64d), .value] | @tsv' | sort
}
# But what a cluster at rest writes all the time (leases, Events, nodes' status) and the API server's own.
restless='^/registry/(leases|masterleases|peerserverleases|events|minions|ranges|validatingadmission|priorityandfairness|flowschemas|prioritylevelconfigurations|services/endpoints/default/kubernetes|ipaddresses)'
dump() { dump_all | grep -vE "$restless"; }
its() { jq -rc --arg u "system:serviceaccount:rehearsals:$1" 'select(.user.username == $u)' "$audit" 2>/dev/null; } # ACCOUNT : what it asked of the API server
# no_dry_runs ACCOUNT : its requests that change something and are none; reviews change nothing
no_dry_runs() {
  its "$1" | jq -rc 'select(.verb as $v | ["get", "list", "watch"] | index($v) | not) | select((.requestURI | test("[?&]dryRun=All($|&)") | not) and (.requestURI | test("^/apis/auth(entication|orization).k8s.io/") | not)) | [.verb, .requestURI]' | sed -n 1,5p
}
dry_runs_alone() { local bad; bad=$(no_dry_runs "$1"); [ -z "$bad" ] || fail "this was no dry run: $bad"; } # ACCOUNT
