# From outside: a certificate authority that did not sign the server, a token that it does not know or no longer believes, a server that
# is not there.
# tags: oldest api
[ -n "${OWN_CLUSTER:-}" ] || skip "this cluster is not ours: its certificate authority is not known"
bin=$HANDOVER_BIN server=https://127.0.0.1:443
says() { # PATTERN KUBECONFIG-USER-YAML CLUSTER-YAML
  local out rc=0
  printf 'apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: %s}]\nusers: [{name: u, user: %s}]\n' "$3" "$2" >"$PWD_DIR/config"
  out=$(in_cluster timeout 60 "$bin" status --kubeconfig="$PWD_DIR/config" 2>&1) || rc=$?
  [ $rc = 1 ] || fail "exit code $rc: $out"
  grep -qiE "$1" <<<"$out" || fail "\"$out\" does not say $1"
  ! grep -qE "very-secret${token:+|$token}" <<<"$out" || fail "the token is in the message"
  note "$out"
}
PWD_DIR=$(mktemp -d); trap 'rm -rf "$PWD_DIR"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=other-ca -keyout "$PWD_DIR/k" -out "$PWD_DIR/ca" 2>/dev/null
ca=$(base64 -w0 <"$CLUSTER_DIR/pki/ca.crt")
says certificate '{token: very-secret}' "{server: '$server', certificate-authority: '$PWD_DIR/ca'}"
says '401|Unauthorized' '{token: very-secret}' "{server: '$server', certificate-authority-data: $ca}"
says refused '{token: very-secret}' "{server: 'https://127.0.0.1:9', certificate-authority-data: $ca}"

# A token that was good: first it may not list, then its account is deleted and the server no longer believes it.
k create serviceaccount short-lived >/dev/null
request='{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":600}}'
token=$(in_cluster kubectl create --raw "/api/v1/namespaces/$NS/serviceaccounts/short-lived/token" -f - <<<"$request" | jq -r .status.token)
[ "${#token}" -gt 100 ] || fail "no token: $token"
says '403|orbidden' "{token: $token}" "{server: '$server', certificate-authority-data: $ca}"
k delete serviceaccount short-lived >/dev/null
no_longer() { says '401|Unauthorized' "{token: $token}" "{server: '$server', certificate-authority-data: $ca}"; }
until_true 15 "the token is refused" eval '(no_longer)' # the server remembers a good one for some seconds
no_longer
