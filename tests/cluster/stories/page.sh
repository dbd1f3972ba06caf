# The page as a person opens it: through a port-forward and through `kubectl proxy`, with a token whose user the real API server knows and lets in, or not; what
# somebody may who may view the whole cluster; a standby names the leader.
manifest op v1 "${quick[@]}" | k apply -f - >/dev/null; adopted op
holder=$(leader); pod=${holder%%_*}
forward() { # POD : its admin port, here
  in_cluster kubectl port-forward -n handover-system "pod/$1" :8080 >"$dir/forward" 2>&1 & pids+=($!)
  until_true 20 "forwarded" grep -q 'Forwarding from 127' "$dir/forward"
  port=$(sed -n 's/.*127.0.0.1:\([0-9]*\) .*/\1/p' "$dir/forward")
}
dir=$(mktemp -d) pids=(); trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$dir"' EXIT
answer() { in_cluster curl -s -o "$dir/answer" -w '%{http_code}' --max-time 20 "$@" || true; }
page() { answer "http://127.0.0.1:$port$1" "${@:2}"; }
token() { in_cluster kubectl create token "$1" -n "${2:-handover-system}"; }
forward "$pod"
[ "$(page /)" = 200 ] && grep -q '<h1>Handover</h1>' "$dir/answer" || fail "the page is not there"
[ "$(page /status.json)" = 401 ] || fail "without a token: $(cat "$dir/answer")"
[ "$(page /status.json -H 'Authorization: Bearer no.such.token')" = 401 ] || fail "with one that nobody knows: $(cat "$dir/answer")"
[ "$(page /status.json -H "Authorization: Bearer $(token handover)")" = 403 ] || fail "Handover's own account may read: $(cat "$dir/answer")"
reader=$(token handover-page)
[ "$(page /status.json -H "Authorization: Bearer $reader")" = 200 ] || fail "the reader's account: $(cat "$dir/answer")"
jq -e '.leading and any(.targets[]; .name == "op")' "$dir/answer" >/dev/null || fail "it reads $(cat "$dir/answer")"
in_cluster curl -sN --max-time 3 "http://127.0.0.1:$port/page/events" -H "X-Handover-Token: $reader" >"$dir/events" || true
sed -n '1s/^data: //p' "$dir/events" | jq -e '.items.instance.leading and .items["t/'"$NS"'/op"].phase == "Stable"' >/dev/null || fail "the stream: $(head -c 2000 "$dir/events")"

# Who may view the whole cluster may read it; who may view one namespace may not
k create serviceaccount viewer >/dev/null; k create rolebinding viewer --clusterrole=view --serviceaccount="$NS:viewer" >/dev/null
viewer=$(token viewer "$NS")
[ "$(page /status.json -H "Authorization: Bearer $viewer")" = 403 ] || fail "who may view one namespace: $(cat "$dir/answer")"
in_cluster kubectl create clusterrolebinding "viewer-$NS" --clusterrole=view --serviceaccount="$NS:viewer" >/dev/null
may_read() { [ "$(page /status.json -H "Authorization: Bearer $viewer")" = 200 ]; }
until_true 30 "the viewer of all namespaces is let in" may_read
in_cluster kubectl delete clusterrolebinding "viewer-$NS" >/dev/null
may_not() { ! may_read; }
until_true 60 "a right that was taken away ends" may_not

# Through the API server, which keeps Authorization for itself
in_cluster kubectl proxy --port=0 >"$dir/proxy" 2>&1 & pids+=($!)
until_true 20 "the proxy serves" grep -q 'Starting to serve' "$dir/proxy"
proxied=http://$(sed -n 's/Starting to serve on //p' "$dir/proxy")/api/v1/namespaces/handover-system/pods/$pod:8080/proxy
[ "$(answer "$proxied/page.js")" = 200 ] || fail "no file through the proxy: $(cat "$dir/answer")"
[ "$(answer "$proxied/status.json")" = 401 ] || fail "without a token, through the proxy: $(cat "$dir/answer")"
[ "$(answer "$proxied/status.json" -H "X-Handover-Token: $reader")" = 200 ] || fail "with it: $(cat "$dir/answer")"
in_cluster curl -sN --max-time 3 "$proxied/page/events" -H "X-Handover-Token: $reader" >"$dir/events" || true
grep -q '"all":true' "$dir/events" || fail "the stream does not come through the proxy"

# A standby
standby=$(kubectl_in handover-system get pods -l app.kubernetes.io/name=handover -o name | grep -v "/$pod$" | head -1); [ -n "$standby" ] || fail "there is no standby"
forward "${standby#pod/}"
[ "$(page /status.json -H "Authorization: Bearer $reader")" = 200 ] && jq -e --arg h "$holder" '.leading == false and .holder == $h' "$dir/answer" >/dev/null || fail "a standby: $(cat "$dir/answer")"
