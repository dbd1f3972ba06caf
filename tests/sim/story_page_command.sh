# `handover page` says by which commands the leader's page is reached, or why there is none.
. "$(dirname "$0")/lib.sh"
sim
says() { # EXIT-CODE PATTERN ARGS
  local rc=0 want=$1 pattern=$2; shift 2
  "$HANDOVER" page --server="$server" "$@" >"$dir/said" 2>&1 || rc=$?
  [ $rc = "$want" ] && has -E "$pattern" <"$dir/said" || fail "page $* ended with $rc and said: $(cat "$dir/said")"
}
says 1 'not found' -n default
handover a; until_true 10 "a leads" leads a
says 1 'the leader is a, which is no pod in namespace default: its page is on the admin port' -n default
api POST /api/v1/namespaces/default/pods '{"metadata":{"name":"a"},"spec":{"containers":[{"name":"handover","image":"handover:1","ports":[{"name":"admin","containerPort":9090}]}]}}' >/dev/null
says 0 "^  kubectl port-forward -n default pod/a 8080:9090 --server='$server'$" -n default
says 0 "^  kubectl create token handover-page -n default" --lease-namespace=default
kill -TERM "$pid_a"; until_true 10 "nobody leads" leads ''
says 1 'Lease default/handover: nobody leads' -n default
