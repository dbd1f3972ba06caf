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
of_pod() { jq -rc --arg p "$1" 'select(.user.extra["authentication.kubernetes.io/pod-name"] == [$p])' "$audit" 2>/dev/null; } # POD : what it asked, by its own token
# no_dry_runs its ACCOUNT | of_pod POD : its requests that change something and are none; reviews change nothing
no_dry_runs() {
  "$@" | jq -rc 'select(.verb as $v | ["get", "list", "watch"] | index($v) | not) | select((.requestURI | test("[?&]dryRun=All($|&)") | not) and (.requestURI | test("^/apis/auth(entication|orization).k8s.io/") | not)) | [.verb, .requestURI]' | sed -n 1,5p
}
dry_runs_alone() { local bad; bad=$(no_dry_runs "$@"); [ -z "$bad" ] || fail "this was no dry run: $bad"; } # as no_dry_runs

# ---- changes by others ----
# churn CHANGE FILE : ten times a second `CHANGE I`, which asks with send(), each at its time, whether the one before was answered or not; FILE has the answers.
churn() {
  local change=$1 answers=$2 i=0 began=${EPOCHREALTIME/./} wait
  send() { curl -sS -o /dev/null -w '%{http_code}\n' -m 20 --unix-socket "$API_SOCKET" "$@" >>"$answers" & } # OPTION of curl... URL
  merge() { send -X PATCH -H 'Content-Type: application/merge-patch+json' -d "$2" "$1"; }                   # URL PATCH
  create() { send -X POST -H 'Content-Type: application/json' -d "$2" "$1"; }                               # URL OBJECT
  while :; do
    i=$((i + 1)); "$change" $i
    wait=$((began + i * 100000 - ${EPOCHREALTIME/./}))
    [ $wait -le 0 ] || sleep "$(printf '0.%06d' "$wait")"
  done
}
churned() { # FILE SECONDS : sets changes
  changes=$(grep -c '^20' "$1")
  [ "$changes" -ge $(($2 * 9)) ] || fail "only $changes changes in $2 s: $(sort "$1" | uniq -c | xargs)"
}

# ---- all that etcd is given ----
# record FILE : from now on each change of a key. Sets recorder, which the story ends, whatever happens.
record() {
  local revision
  revision=$(in_cluster curl -sf -m 20 http://127.0.0.1:2379/v3/kv/range -d "{\"key\":\"$(printf /none | base64)\"}" | jq -r .header.revision)
  nsenter "--net=/run/netns/$CLUSTER_NS" curl -sN http://127.0.0.1:2379/v3/watch -d \
    "{\"create_request\":{\"key\":\"$(printf /registry/ | base64)\",\"range_end\":\"$(printf /registry0 | base64)\",\"start_revision\":$((revision + 1))}}" >"$1.raw" & recorder=$!
}
# recorded FILE : all of it until now, a line for each change: PUT or DELETE, the key, the value with its readable parts.
recorded() {
  local last=recorded-$RANDOM
  k create configmap "$last" >/dev/null
  has_end() { lines_of "$1" | has "configmaps/$NS/$last"; }
  until_true 30 "the record of etcd has its end" has_end "$1"
  kill "$recorder"; wait "$recorder" 2>/dev/null || true; recorder=
  lines_of "$1" >"$1"
}
lines_of() { jq -R -r 'fromjson? | .result.events[]? | [.type // "PUT", (.kv.key | @base64d), (.kv.value // "" | @base64d | gsub("[\\t\\n]"; " "))] | @tsv' "$1.raw"; }
with_word() { grep -acF -- "$2" "$1" || true; } # FILE WORD
