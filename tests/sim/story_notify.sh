# A receiver gets each change of phase, signed, at least once and with one id: by a leader whose receiver fails, by the successor of one that was killed in between,
# and of one that was stopped while its receiver was slow. What it refuses is a dead letter. Certificates are verified. The receiver of docs/notifications.md does what it says.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
for tool in python3 openssl; do command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }; done
rate='"reconcilesPerSecond":40'
sim --script "{\"image\":\"*:v?\",$rate}" --script "{\"image\":\"*:bad\",\"errorRate\":0.5,$rate}"
sink() { # NAME [CERT KEY]
  echo ok >"$dir/$1.mode"; : >"$dir/$1.events"
  python3 "$top/tests/sim/sink.py" "$dir/$1.port" "$dir/$1.events" "$dir/$1.mode" "${@:2}" 2>"$dir/$1.txt" & pids+=($!)
  until_true 20 "the receiver $1 listens" test -s "$dir/$1.port"
}
mode() { echo "$1" >"$dir/in.mode"; }
events_in() { jq -c "select(.path == \"/events\") | . + {event: (.body | fromjson)} | $1" "$dir/in.events"; } # JQ
told() { # PHASE [TEMPLATE] : taken, that is answered with 200
  [ -n "$(events_in "select(.mode == \"ok\" and .event.data.phase == \"$1\" and (\"${2:-}\" == \"\" or .event.data.template == \"${2:-}\"))")" ]
}
was_sent() { until_true "${3:-40}" "it gets $1" told "$1" "${2:-}"; }
template() { state .hash; }
sink in; echo '  two words ' >"$dir/secret"
url=http://127.0.0.1:$(cat "$dir/in.port")/events
run() { handover "$1" --notify="$url" --notify-secret-file="$dir/secret" "${@:2}"; }
run a; until_true 10 "a leads" leads a
target op:v1 canary-percent=50 soak=4s max-error-rate=5% quiet=1s; adopted
was_sent Stable
set_image op:bad; wait_phase RolledBack; bad=$(template)
for p in Starting Soaking RolledBack; do was_sent $p "$bad"; done
events_in 'select(.event.data.phase == "RolledBack")' | head -1 >"$dir/one"
jq -e '.type == "application/cloudevents+json; charset=utf-8" and (.event | .specversion == "1.0" and .type == "dev.handover.phase" and .subject == "default/op" and .datacontenttype == "application/json"
  and .source == "/apis/coordination.k8s.io/v1/namespaces/default/leases/handover" and (.id | length == 32) and (.time | fromdateiso8601? // sub("\\.[0-9]+"; "") | length > 0)
  and .data.namespace == "default" and .data.name == "op" and (.data.message | test("op:bad was rolled back")) and .data.image == "op:bad")' "$dir/one" >/dev/null || fail "the event is $(cat "$dir/one")"
signed() { # LINE : with the secret
  local at; at=$(jq -r .signature "$1" | sed -n 's/^t=\([0-9]*\),v1=.*/\1/p')
  [ -n "$at" ] && [ "$(printf '%s.%s' "$at" "$(jq -r .body "$1")" | openssl dgst -sha256 -hmac "$2" | sed 's/.* //')" = "$(jq -r .signature "$1" | sed 's/.*v1=//')" ]
}
signed "$dir/one" 'two words' || fail "the signature: $(cat "$dir/one")"
signed "$dir/one" 'two word' && fail "any secret fits"
ids() { events_in '"\(.event.data.phase) \(.event.data.template) \(.event.time) \(.event.id)"' | sort -u; }
[ "$(ids | wc -l)" = "$(ids | sed 's/.* //' | sort -u | wc -l)" ] || fail "two changes have one id: $(ids)"

# The receiver fails, then the leader is killed
handover b --notify="$url" --notify-secret-file="$dir/secret"; until_true 10 "b is ready" log_says b "caches are warm"
mode 500; echo other >"$dir/secret" # turned
set_image op:v2; until_true 20 "tried again" eval '[ "$(events_in "select(.mode == \"500\") | .event.id" | sort | uniq -c | sort -n | tail -1 | awk "{print \$1}")" -ge 2 ]'
until_true 30 "it is being promoted" log_says a '"reason":"Promoting"'
kill -9 "$pid_a"; until_true 20 "b leads" leads b; promoted op:v2
mode ok
v2=$(api GET "$deploy/op" >/dev/null; events_in 'select(.event.data.phase == "Promoting") | .event.data.template' | tr -d '"' | tail -1); [ -n "$v2" ] || v2=$(state '.history[0].hash')
for p in Starting Soaking Promoting; do was_sent $p "$v2" 60; done
again() { events_in 'select(.event.data.template == "'"$v2"'" and .event.data.phase == "Starting") | .event.id' | sort -u | wc -l; }
[ "$(again)" = 1 ] || fail "one change has $(again) ids"
events_in 'select(.event.data.template == "'"$v2"'" and .mode == "ok")' | tail -1 >"$dir/one"; signed "$dir/one" other || fail "the secret was not read again: $(cat "$dir/one")"

# A slow receiver does not hold up a handover; the next leader sends what was cut
handover c --notify="$url" --notify-secret-file="$dir/secret"; until_true 10 "c is ready" log_says c "caches are warm"
mode slow; set_image op:v3; until_true 20 "it waits for an answer" eval '[ -n "$(events_in "select(.mode == \"slow\")")" ]'
kill -TERM "$pid_b"; until_true 8 "c leads" leads c
grep -q '"event":"ReconcilesCancelled"' "$dir/b.log" && fail "the drain came to its end: $(tail -3 "$dir/b.log")"
mode ok; promoted op:v3; v3=$(state '.history[0].hash')
for p in Starting Soaking Promoting; do was_sent $p "$v3" 60; done

# What a receiver does not want is a dead letter, for a person
mode 410; set_image op:bad; wait_phase RolledBack
letters() { "$HANDOVER" deadletter list --server="$server" --lease-namespace=default | has -E "^notify .*default/op/RolledBack/"; }
until_true 20 "it is a dead letter" letters
"$HANDOVER" deadletter list --server="$server" --lease-namespace=default | has '410' || fail "without its reason"
mode ok; "$HANDOVER" deadletter retry --server="$server" --lease-namespace=default >/dev/null 2>&1 || "$HANDOVER" deadletter retry --all --server="$server" --lease-namespace=default >/dev/null
until_true 20 "no dead letter is left" eval '! letters'

# TLS
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/key" -out "$dir/cert" -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
sink tls "$dir/cert" "$dir/key"; kill -TERM "$pid_c"; until_true 10 "nobody leads" leads ''
secure=https://127.0.0.1:$(cat "$dir/tls.port")/events
handover d --notify="$secure"; until_true 10 "d leads" leads d
annotate retry "\"$(template)@1\""; wait_phase Soaking 20
failed() { curl -s "http://127.0.0.1:$(grep -oE '"admin_port":[0-9]+' "$dir/d.log" | grep -oE '[0-9]+$')/metrics" | has '^handover_notifications_total{result="failed"} [1-9]'; }
until_true 20 "a certificate that nobody vouches for is refused" failed
[ ! -s "$dir/tls.events" ] || fail "an event was sent to it"
kill -TERM "$pid_d"; until_true 10 "nobody leads" leads ''
handover e --notify="$secure" --notify-ca="$dir/cert"; until_true 40 "it gets events over TLS" test -s "$dir/tls.events"
kill -TERM "$pid_e"; until_true 10 "nobody leads" leads ''

# The receiver of the documentation
sed -n '/^```python receiver$/,/^```$/p' "$top/docs/notifications.md" | sed '1d;$d' >"$dir/receiver.py"
base=http://127.0.0.1:$(cat "$dir/in.port"); free=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
SECRET_FILE=$dir/secret SLACK_URL=$base/slack ALERTMANAGER_URL=$base PORT=$free python3 "$dir/receiver.py" 2>"$dir/receiver.txt" & pids+=($!)
answers() { [ "$(curl -s -o /dev/null -w '%{http_code}' -d '{}' "http://127.0.0.1:$free/")" = 403 ]; }
until_true 20 "what is not signed is refused" answers
handover f --notify="http://127.0.0.1:$free/" --notify-secret-file="$dir/secret"; until_true 20 "f leads" leads f
wait_phase RolledBack 40; annotate retry "\"$(template)@2\""; wait_phase Soaking 20
slack() { jq -es 'any(.[] | select(.path == "/slack") | .body | fromjson; .text | test("^default/op: RolledBack op:bad was rolled back"))' "$dir/in.events" >/dev/null; }
alert() { jq -es 'any(.[] | select(.path == "/api/v2/alerts") | .body | fromjson; .[0].labels == {alertname:"HandoverRolledBack",namespace:"default",name:"op"})' "$dir/in.events" >/dev/null; }
until_true 30 "Slack gets it" slack; until_true 10 "Alertmanager gets it" alert
