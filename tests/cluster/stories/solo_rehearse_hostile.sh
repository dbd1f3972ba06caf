# A rehearsal cannot write: every path of the API server's discovery is tried through it with every verb, each in several of some 340 odd spellings (hostile.py),
# as a user who may do anything. Afterwards etcd is as it was, no key or value has the word that all of these requests write, and the audit log has dry runs alone.
# Then the same user writes a little without the rehearsal, and all of these checks see it. Alone, since all of etcd is compared; SEED.
# tags: api
. ./rehearsals.sh
for tool in python3 openssl; do command -v $tool >/dev/null || skip "$tool is not installed"; done
d=$(mktemp -d); pid='' seed=${SEED:-1}
# What the API server's own controllers would keep, or the namespace does not take along.
tidy() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null || true; }
  local kinds; kinds=$(in_cluster kubectl api-resources --namespaced=false --verbs=delete,create -o name | paste -sd, || true)
  in_cluster kubectl delete "${kinds:-namespaces}" there --ignore-not-found --wait=false >/dev/null 2>&1 || true
  in_cluster kubectl delete crd/theres.things.example.com apiservice/v1.there.example.com --ignore-not-found --wait=false >/dev/null 2>&1 || true
  rm -rf "$d"
}
trap tidy EXIT
hostile() { in_cluster python3 ./hostile.py "$1" "$d" "$NS" "$seed"; }
same() { cmp -s "$1" "$2" || { diff "$1" "$2" | cut -f1 >"$d/diff"; false; }; } # $d/diff has the keys

# ---- who asks, and what is there ----
for who in maker direct; do # the account that tries is the one in the audit policy
  account=$who; [ $who = maker ] || account=hostile
  rehearsals_kubeconfig "$account" "$d/$who.kubeconfig"
  printf %s "$token" >"$d/$who.token"; echo https://127.0.0.1:443 >"$d/$who.url"; cp "$CLUSTER_DIR/pki/ca.crt" "$d/$who.crt"
done
openssl req -new -newkey rsa:2048 -nodes -subj /CN=none -keyout /dev/null -out "$d/csr" 2>/dev/null
hostile make >"$d/made" || { cat "$d/made"; fail "an object of some kind could not be made"; }

# ---- what is compared: all values but of what never rests, all keys of these kinds but Events and leases, the values of all that is called `there` ----
snapshot() { # NAME
  dump_all >"$d/all"
  { grep -vE "$restless" "$d/all"
    cut -f1 "$d/all" | grep -E "$restless" | grep -vE '^/registry/(events|leases|masterleases|peerserverleases)/'
    grep -P "^/registry/(events|leases|flowschemas|prioritylevelconfigurations|validatingadmission[a-z]*)/([^\t]*/)?there\t" "$d/all"
  } >"$d/$1" || true # of what is gone there is nothing to be found
}
written() { { cut -f1 "$d/all"; cut -f2 "$d/all" | base64 -d 2>/dev/null; } | grep -ac h0stile || true; }
leaves() { in_cluster kubectl get namespaces -o json | jq -e 'any(.items[]; .metadata.deletionTimestamp)' >/dev/null; }
nothing_leaves() { ! leaves; }
[ ! -x "$(cat "$CLUSTER_DIR/bin")/kube-controller-manager" ] || until_true 90 "the namespaces of earlier stories are gone" nothing_leaves
at_rest() { snapshot one; sleep 3; snapshot before; same "$d/one" "$d/before"; }
until_true 60 "etcd is at rest" at_rest
[ "$(written)" = 0 ] || fail "etcd has the word already"
whole=$audit lines=$(wc -l <"$audit") audit=$d/audit
of_now() { tail -n "+$((lines + 1))" "$whole" >"$audit"; }

# ---- all of it ----
nsenter "--net=/run/netns/$CLUSTER_NS" "$HANDOVER_BIN" rehearse --kubeconfig="$d/direct.kubeconfig" --listen=127.0.0.1:9397 >"$d/log" 2>&1 & pid=$!
listens() { kill -0 "$pid" && grep -q KUBECONFIG= "$d/log"; }
until_true 20 "the proxy listens" listens
theirs=$(sed -n 's/.*KUBECONFIG=//p' "$d/log")
of_theirs() { kubectl --kubeconfig="$theirs" config view --raw --minify -o "jsonpath={$1}"; }
of_theirs '.clusters[0].cluster.certificate-authority-data' | base64 -d >"$d/proxy.crt"
of_theirs '.users[0].user.token' >"$d/proxy.token"
echo https://127.0.0.1:9397 >"$d/proxy.url"
hostile try >"$d/tried" 2>"$d/tried.log" || { cat "$d/tried" "$d/tried.log"; fail "not all of it could be tried"; }
h2=0
for option in --http2 --http2-prior-knowledge; do # there is no HTTP/2: what speaks it gets an answer of HTTP/1.1, or none
  for verb in POST PUT PATCH DELETE; do
    in_cluster curl -sS -m 20 -o /dev/null $option --cacert "$d/proxy.crt" -H "Authorization: Bearer $(cat "$d/proxy.token")" -H 'Content-Type: application/json' -X $verb \
      -d '{"metadata":{"name":"h0stile"}}' "https://127.0.0.1:9397/api/v1/namespaces/$NS/configmaps" 2>/dev/null && h2=$((h2 + 1))
  done
done

# ---- it lives, and nothing was written ----
kill -0 "$pid" || { tail -20 "$d/log"; fail "the proxy has ended"; }
rss=$(awk '/^VmRSS:/ {print int($2 / 1024)}' "/proc/$pid/status")
fenced=$(grep -m 3 RehearsalFenced "$d/log" || true)
[ -z "$fenced" ] || fail "the second check had to stop what the first let pass: $fenced"
snapshot after
same "$d/before" "$d/after" || { head -20 "$d/diff"; fail "etcd is not as it was"; }
[ "$(written)" = 0 ] || fail "etcd has $(written) lines that such a request wrote"
in_cluster kubectl --kubeconfig="$theirs" get --raw /api/v1/namespaces/default/serviceaccounts?limit=1 >/dev/null || fail "the proxy does not answer"
sleep 1; of_now
dry_runs_alone its hostile
# What reads in name only, and tokens, are issued to nobody; not by any verb.
reach() { its hostile | jq -rc 'select((.objectRef.subresource // "") as $s | ["exec", "attach", "portforward", "proxy", "token"] | index($s)) | [.verb, .requestURI]' | sed -n 1,5p; }
[ -z "$(reach)" ] || fail "this was let pass: $(reach)"
its hostile | jq -rc 'select(.requestURI | test("[?&]dryRun=All$")) | [.verb, if .responseStatus.code < 300 then "taken" else "refused" end] | @tsv' | sort | uniq -c >"$d/verbs"
taken() { awk -v v="$1" '$2 == v && $3 == "taken" {n = $1} END {print n + 0}' "$d/verbs"; }
dry=$(awk '{n += $1} END {print n + 0}' "$d/verbs")
for least in create:200 update:200 patch:200 delete:20 deletecollection:50; do # what the API server would have done, were it no dry run
  [ "$(taken ${least%:*})" -ge ${least#*:} ] || { cat "$d/verbs"; fail "only $(taken ${least%:*}) dry runs of ${least%:*} were taken"; }
done
[ "$dry" -ge 2000 ] || fail "only $dry dry runs came through"
[ "$(jq .tally.silent "$d/tried")" = null ] || { jq -c .tally "$d/tried"; cat "$d/tried.log"; fail "the proxy leaves requests without an answer"; }
[ "$rss" -lt 64 ] || fail "the proxy has $rss MiB"
note "$(jq -r '"seed \(.seed): \(.tally.sent) requests of \(.pairs) paths and verbs in \(.spellings) spellings in \(.seconds) s: \(.tally["answered 2xx"]) answers are 2xx, \(.tally.refused + (.tally.closed // 0)) refuse, \(.tally.cut) were cut; the slowest took \(.slowest[0]) s"' "$d/tried")"
note "$dry dry runs reached the API server; it would have done $(for v in create update patch delete deletecollection; do printf '%s %s, ' "$(taken $v)" "$v"; done)of HTTP/2 $h2 of 8 answered; $(wc -l <"$d/before") keys of etcd are equal; the proxy has $rss MiB"

# ---- can these checks fail? ----
lines=$(wc -l <"$whole")
hostile plain >"$d/plain"
[ "$(jq -c . "$d/plain")" = '{"201":1,"200":3}' ] || fail "the writes of the control: $(cat "$d/plain")"
snapshot control
if same "$d/before" "$d/control" || [ "$(grep -c '^[<>]' "$d/diff")" -lt 6 ]; then fail "etcd is compared in vain"; fi
[ "$(written)" -ge 3 ] || fail "the word is looked for in vain"
seen() { of_now; [ "$(no_dry_runs its hostile | wc -l)" = 4 ]; }
until_true 10 "the audit log has the control's four writes" seen
