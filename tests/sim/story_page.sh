# The page, in a browser: rollouts, rehearsals, evidence, signals, leadership, queue and history, live without a reload; text from outside stays text; nothing is fetched
# from elsewhere; a lost server is survived and said; standbys say who leads; Kubernetes decides who reads. SHOTS=DIR keeps its pictures.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/browser.sh"
rate='"reconcilesPerSecond":40'
sim --kubernetes 1.37 --script "{\"image\":\"*:v?\",$rate}" --script "{\"image\":\"*:writes\",\"writesPerReconcile\":1,$rate}" --script "{\"image\":\"*:bad\",\"errorRate\":0.5,$rate}"
shots=${SHOTS:-$dir}
pictures() { # NAME : at two widths, light and dark; none is empty, and the dark ones are others
  for width in 1280 400; do
    for scheme in light dark; do
      shot "$shots/$1-$width-$scheme.png" $width $scheme
      [ "$(wc -c <"$shots/$1-$width-$scheme.png")" -gt 8000 ] || fail "picture $1-$width-$scheme is empty"
    done
    cmp -s "$shots/$1-$width-light.png" "$shots/$1-$width-dark.png" && fail "picture $1-$width is the same in the dark"
    [ "$(js "document.documentElement.scrollWidth <= $width")" = true ] || fail "$1 is wider than $width"
  done
  shot "$dir/again.png" 1280 light
}
no_errors() { [ ! -s "$dir/browser.errors" ] || fail "$1: the browser says $(cat "$dir/browser.errors")"; }
port_of() { grep -oE '"admin_port":[0-9]+' "$dir/$1.log" | grep -oE '[0-9]+$'; }
answer() { curl -s -o "$dir/answer" -w '%{http_code}' --max-time 20 "$@" || true; }

handover a --rehearse-image=handover:test; until_true 10 "a leads" leads a
url=http://127.0.0.1:$(port_of a)
browser
open_page "$url/"
shown '^No Deployment takes part yet'; shown '^Live$'
pictures none
js 'window.stayed = 1' >/dev/null # until a reload
target op:v1 canary-percent=50 soak=40s max-error-rate=5% quiet=1s; adopted
shown '^In service \(1\)'
set_image op:writes
shown 'Soaking: SignalRaised' 30
for line in '^op default$' '^Needs a look \(1\)' 'writes: [0-9]+ writes in [0-9]+ reconciles; stable' '^handover explain deployment/op -n default$' 'step 1 of 1, 50 %' \
  '^watching: |^pass: ' 'odds that it is bad: 1 to [0-9]+, rolled back at 100 to 1' '^all.*0 of [0-9]+ \(0 %\)' 'speaks against it' '^webhooks.*no metrics' \
  '^No rollout has ended yet' 'a, leads' 'leader-election ok' '^[0-9]+ keys? waiting' '^No dead letters'; do shown "$line" 5; done
drawn() { [ "$(js "document.querySelectorAll('svg polyline.pass').length == 1 && document.querySelector('svg polyline.pass').getAttribute('points').split(' ').length > 5")" = true ]; }
until_true 20 "the evidence is drawn" drawn
pictures one
ask() { "$HANDOVER" "$@" --server="$server" >/dev/null; }
ask abort op; shown '^▲ RolledBack'; shown '^aborted'
[ "$(js window.stayed)" = 1 ] || fail "the page was loaded anew"
[ "$(js 'document.querySelectorAll("h1").length == 1 && [...document.querySelectorAll("th")].every(e => e.scope) && !!document.querySelector("main") && !!document.querySelector("[aria-live=polite]")')" = true ] || fail "landmarks, headings, headers of tables"
no_errors "so far"

# A rehearsal: what it has found so far, and when it waits for a person
script '{"image":"op:v2","reconcilesPerSecond":40,"report":{"apiVersion":"handover.dev/v1","kind":"RehearsalReport","objects":[{"change":"changed","group":"apps","version":"v1","resource":"deployments","kind":"Deployment",
  "namespace":"shop","name":"web","restart":{"group":"apps","kind":"Deployment","name":"web","pods":3},"fields":[{"path":"spec.template.spec.containers[web].image","old":"1","new":"2","effect":"restart"}]}]}}'
annotate rehearse '"10s"'; annotate max-changes '"restarts=0"'; set_image op:v2
shown '^So far: 1 workload would restart \(3 pods\)$' 30; shown '^● Rehearsing$'; shown '^Ends'
shown '^▲ Rehearsing: AwaitingApproval$' 40
for line in '^1 workload would restart \(3 pods\)$' '^restarts.*1.*0$' '^pods.*3.*any$' '^Report [0-9a-f]{16}:$' '^handover diff deployment/op -n default$'; do shown "$line" 5; done
pictures rehearsal
ask abort op; shown '^▲ RolledBack'; annotate rehearse; annotate max-changes
no_errors "with a rehearsal"

# What somebody writes into an annotation is text
annotate soak '"<img src=x onerror=document.title=1>"'
shown '<img src=x onerror=document.title=1>'
[ "$(js 'document.images.length + document.title')" = 0Handover ] || fail "it became markup"
annotate soak '"40s"'
no_errors "with markup in an annotation"

# A key that was given up
fault "{\"match\":{$ours,\"method\":\"GET\",\"path\":\"*/deployments/ghost\"},\"count\":-1,\"status\":403}"; orphan
shown '^Dead letters \(1\)' 30; shown '^default/ghost'

# Nobody but who reaches the port by its address; read-only; files are cached by their tag
[ "$(answer "$url/page/events" -H 'Host: handover.example:80')" = 403 ] || fail "a foreign name: $(cat "$dir/answer")"
[ "$(answer "$url/status.json" -H 'Host: handover.example:80')" = 403 ] || fail "a foreign name reads /status.json"
for method in POST PUT DELETE PATCH OPTIONS; do [ "$(answer -X $method "$url/page/events")" = 405 ] || fail "$method: $(cat "$dir/answer")"; done
for file in / /page.js /page.css; do
  tag=$(curl -sI "$url$file" | tr -d '\r' | sed -n 's/^ETag: //p'); [ -n "$tag" ] || fail "$file has no tag"
  [ "$(answer "$url$file" -H "If-None-Match: $tag")" = 304 ] || fail "$file is sent again"
  [ "$(curl -s "$url$file" | sha256sum)" = "$(curl -s --compressed "$url$file" | sha256sum)" ] || fail "$file differs where it is packed"
done
packed=$(for file in / /page.js /page.css; do curl -s -H 'Accept-Encoding: gzip' "$url$file"; done | wc -c); [ "$packed" -lt 12288 ] || fail "the page takes $packed bytes"

# The standby says who leads
handover b; until_true 10 "b is ready" log_says b "caches are warm"
open_page "http://127.0.0.1:$(port_of b)/"
shown '^This instance stands by\. a leads'; shown 'kubectl port-forward -n default pod/a 8080'
pictures standby
# and when it leads itself, in how long
kill -TERM "$pid_a"; shown '^b, leads$' 20; shown '^1.*released.*[0-9.]+ ms$'; shown '^▲ RolledBack'
no_errors "until b leads"

# A lost server: said, and found again
port=$(port_of b); kill -9 "$pid_b"
shown '^The server is lost since '; [ "$(js 'document.body.className')" = stale ] || fail "what is shown looks fresh"
pictures lost
: >"$dir/browser.errors" # refused connections
handover c --admin=127.0.0.1:"$port"; until_true 30 "c leads" leads c
shown '^Live$' 20; shown '^c, leads$' 20

# Kubernetes decides
handover d --page=kubernetes; until_true 10 "d is ready" log_says d "caches are warm"
url=http://127.0.0.1:$(port_of d)
for path in /page/events /status.json; do
  [ "$(answer "$url$path")" = 401 ] && grep -q 'a token is needed' "$dir/answer" || fail "$path without a token: $(cat "$dir/answer")"
done
[ "$(answer "$url/")" = 200 ] && [ "$(answer "$url/metrics")" = 200 ] && [ "$(answer "$url/healthz")" = 200 ] || fail "what says nothing of targets is not open"
reviews() { api GET /sim/requests | jq '[.. | strings | select(test("tokenreviews"))] | length'; }
denied='{"match":{"path":"*/subjectaccessreviews"},"count":1,"status":201,"body":"{\"status\":{\"allowed\":false}}"}'
fault "$denied"
[ "$(answer "$url/status.json" -H 'Authorization: Bearer nobody')" = 403 ] && grep -q 'handover-page-reader' "$dir/answer" || fail "without the right: $(cat "$dir/answer")"
fault '{"match":{"path":"*/tokenreviews"},"count":1,"status":201,"body":"{\"status\":{\"authenticated\":false}}"}'
[ "$(answer "$url/status.json" -H 'Authorization: Bearer stale')" = 401 ] || fail "an expired token: $(cat "$dir/answer")"
fault '{"match":{"path":"*/tokenreviews"},"count":1,"status":403}'
[ "$(answer "$url/status.json" -H 'Authorization: Bearer other')" = 503 ] && grep -q 'may not create TokenReviews' "$dir/answer" || fail "where Handover may not ask: $(cat "$dir/answer")"
[ "$(answer "$url/status.json" -H 'Authorization: Bearer good')" = 200 ] && [ "$(answer "$url/status.json" -H 'X-Handover-Token: good')" = 200 ] || fail "with the right: $(cat "$dir/answer")"
log_says d nobody || log_says d '"good"' && fail "a token is in the log"
open_page "$url/"
shown '^Who is reading\?'; pictures login
say() { js "document.getElementById('token').value = '$1'; document.querySelector('#login button').click()" >/dev/null; }
fault "$denied"; say other2; shown "may not get the non-resource URL /page"
say good; shown '^This instance stands by\. c leads'
open_page "$url/#token=good"; shown '^This instance stands by'; [ "$(js location.hash)" = '' ] || fail "the token stays in the address"

# As many as may, and no more; an end to it
for _ in $(seq 20); do curl -sN "$url/page/events" -H 'X-Handover-Token: good' >/dev/null & pids+=($!); done
full() { [ "$(answer -I "$url/page/events" -H 'X-Handover-Token: good')" = 503 ]; } # HEAD: no stream begins
until_true 30 "no further reader is let in" full
[ "$(answer "$url/healthz")" = 200 ] || fail "a probe is not answered"
curl -s "$url/metrics" | has -E '^handover_page_readers 16$' || fail "$(curl -s "$url/metrics" | grep page)"
handover e --page=off; until_true 10 "e is ready" log_says e "caches are warm"
for path in / /page.js /page/events /status.json; do [ "$(answer "http://127.0.0.1:$(port_of e)$path")" = 404 ] || fail "--page=off serves $path"; done

# The browser does forbid what the policy forbids: this test can fail
open_page "http://127.0.0.1:$port/"; shown '^Live$'; : >"$dir/browser.errors"
js "document.body.append(Object.assign(new Image(), {src: '/metrics'}))" >/dev/null
forbidden() { js 1 >/dev/null; grep -q 'Content Security Policy' "$dir/browser.errors"; }
until_true 10 "the policy is in effect" forbidden
