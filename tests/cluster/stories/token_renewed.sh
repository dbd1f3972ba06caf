# The token in a file is no longer believed; when a new one is written there, a running Handover goes on with it by itself.
# tags: api
[ -n "${OWN_CLUSTER:-}" ] || skip "this cluster is not ours: its certificate authority is not known"
d=$(mktemp -d); trap 'kill $pid 2>/dev/null || true; rm -rf "$d"' EXIT
k create serviceaccount runner >/dev/null
in_cluster kubectl create clusterrolebinding "$NS" --clusterrole=cluster-admin --serviceaccount="$NS:runner" >/dev/null
trap 'kill $pid 2>/dev/null || true; rm -rf "$d"; in_cluster kubectl delete clusterrolebinding "$NS" >/dev/null' EXIT
# A token that is bound to a Secret is believed as long as the Secret is there.
token() { # SECRET
  k create secret generic "$1" >/dev/null
  in_cluster kubectl create --raw "/api/v1/namespaces/$NS/serviceaccounts/runner/token" -f - <<<"{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{\"boundObjectRef\":{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"name\":\"$1\"}}}" |
    jq -r .status.token >"$d/token.new"
  mv "$d/token.new" "$d/token"
}
token first
cat >"$d/config" <<END
apiVersion: v1
kind: Config
current-context: x
contexts: [{name: x, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:443', certificate-authority-data: $(base64 -w0 <"$CLUSTER_DIR/pki/ca.crt")}}]
users: [{name: u, user: {tokenFile: $d/token}}]
END
in_cluster "$HANDOVER_BIN" run --kubeconfig="$d/config" --namespace="$NS" --lease-namespace="$NS" --admin=none >"$d/log" 2>&1 & pid=$!
renewed() { field lease/handover '{.spec.renewTime}'; }
leads() { [ -n "$(field lease/handover '{.spec.holderIdentity}')" ]; }
until_true 20 "it leads" leads
k delete secret first >/dev/null
refused() { grep -qE '401|Unauthorized' "$d/log"; }
until_true 20 "the log says that the credentials are refused" refused
token second; at=$(renewed)
goes_on() { kill -0 $pid && [ "$(renewed)" != "$at" ]; }
within 10 "it renews again with the new token: $(tail -3 "$d/log")" goes_on
! grep -qF "$(cat "$d/token")" "$d/log" || fail "the token is in the log"
