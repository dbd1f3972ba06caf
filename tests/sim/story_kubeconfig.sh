# Two kubeconfig files are one, and an exec plugin's token is in the request: a real plugin, run without a shell, and a server that shows
# what it is sent.
. "$(dirname "$0")/lib.sh"
for tool in openssl ss; do command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }; done
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=api -addext 'subjectAltName=DNS:api.example' -keyout "$dir/k" -out "$dir/c" 2>/dev/null
mkfifo "$dir/in"; exec 8<>"$dir/in" # its input does not end
openssl s_server -quiet -accept 127.0.0.1:0 -key "$dir/k" -cert "$dir/c" >"$dir/shown" 2>"$dir/tls.log" <&8 & tls=$!; pids+=("$tls")
port() { ss -ltnp 2>/dev/null | grep "pid=$tls," | grep -oE ':[0-9]+ ' | head -1 | tr -d ': '; }
until_true 10 "a TLS server" port
mkdir "$dir/bin" "$dir/pki"; cp "$dir/c" "$dir/pki/ca.crt"
cat >"$dir/bin/login" <<'P'
#!/bin/sh
{ printf '%s\n' "$@" "$WHO"; printf '%s\n' "$KUBERNETES_EXEC_INFO"; } >"${0%/bin/login}/saw"
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t0ken-of-%s"}}' "$WHO"
P
chmod +x "$dir/bin/login"
cat >"$dir/one" <<Y
apiVersion: v1
kind: Config
users:
- name: u
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, interactiveMode: Never, provideClusterInfo: true,
      args: ['a b', '\$(touch $dir/shell); touch $dir/shell'], env: [{name: WHO, value: me}]}
Y
cat >"$dir/two" <<Y
apiVersion: v1
kind: Config
current-context: x
contexts: [{name: x, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:$(port)', tls-server-name: api.example, certificate-authority: pki/ca.crt}}]
users: [{name: u, user: {token: not-this-one}}]
Y
KUBECONFIG=$dir/one:$dir/absent:$dir/two "$HANDOVER" status >"$dir/status.log" 2>&1 & pids+=($!)
until_true 15 "the token is in the request" grep -qi '^Authorization: Bearer t0ken-of-me' "$dir/shown"
grep -q '^GET /ap' "$dir/shown" || fail "no request: $(cat "$dir/shown")"
! grep -q not-this-one "$dir/shown" || fail "the second file's user was used"
[ "$(head -3 "$dir/saw")" = "a b
\$(touch $dir/shell); touch $dir/shell
me" ] || fail "the plugin was given $(cat "$dir/saw")"
tail -1 "$dir/saw" | jq -e '.spec.cluster["certificate-authority-data"] and .spec.cluster["tls-server-name"] == "api.example"' >/dev/null || fail "KUBERNETES_EXEC_INFO: $(tail -1 "$dir/saw")"
[ ! -e "$dir/shell" ] || fail "a shell has seen the arguments"
