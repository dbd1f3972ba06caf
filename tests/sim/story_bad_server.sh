# An API server that is not there, one that speaks no HTTP, a certificate that nobody vouches for: one clear message each.
. "$(dirname "$0")/lib.sh"
says() { # PATTERN COMMAND...
  local pattern=$1 out rc=0; shift
  out=$("$@" 2>&1) || rc=$?
  [ $rc = 1 ] || fail "exit code $rc from $*: $out"
  grep -qiE "$pattern" <<<"$out" || fail "\"$out\" does not say $pattern"
  [ "$(wc -l <<<"$out")" = 1 ] || fail "more than one line: $out"
}
says 'refused' timeout 60 "$HANDOVER" status --server=http://127.0.0.1:1
server=http://127.0.0.1:1; handover a # one that runs tries again, and tells it once, not for each thing that it wanted
until_true 15 "it tries again" log_says a 'list or watch failed.*"times":2'
[ "$(grep -c 'list or watch failed.*"times":1,\|list or watch failed.*"times":1}' "$dir/a.log")" = 1 ] || fail "told more than once"
log_says a 'list or watch failed.*Connection refused' || fail "the reason is not told"
kill -TERM "$pid_a"; rc=0; wait "$pid_a" || rc=$?; [ $rc = 0 ] || fail "exit code $rc of one that never led"
command -v openssl >/dev/null || { echo "SKIPPED: openssl is not installed"; exit 77; }
if command -v ss >/dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=nobody -keyout "$dir/k" -out "$dir/c" 2>/dev/null
  openssl s_server -quiet -accept 127.0.0.1:0 -key "$dir/k" -cert "$dir/c" -naccept 50 -www >"$dir/tls.log" 2>&1 & pids+=($!); tls=$!
  port() { ss -ltnp 2>/dev/null | grep "pid=$tls," | grep -oE ':[0-9]+ ' | head -1 | tr -d ': '; }
  until_true 10 "a TLS server" bash -c "$(declare -f port); tls=$tls; [ -n \"\$(port)\" ]"
  says 'certificate' timeout 60 "$HANDOVER" status --server="https://127.0.0.1:$(port)"
fi
[ -n "${tls:-}" ] || { echo "SKIPPED: ss is not installed"; exit 77; }
printf 'apiVersion: v1\nkind: Config\nclusters: [{name: x, cluster: {server: 12}}\n' >"$dir/broken"
says 'broken' "$HANDOVER" status --kubeconfig="$dir/broken"
rc=0; "$HANDOVER" run --retry-period=soon >"$dir/out" 2>&1 || rc=$?
[ $rc = 2 ] || fail "exit code $rc for a bad flag"
grep -q 'read "soon"' "$dir/out" || fail "the flag's error: $(cat "$dir/out")"
