# What a person sees: `status -w` on terminals of 80 and 120 columns with 0, 1, 20 and 300 targets is drawn in place and never scrolls, has the most
# urgent first and each arrow, follows the terminal's size, and goes on when the server is lost and comes back.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
command -v tmux >/dev/null || { echo "SKIPPED: tmux is not installed"; exit 77; }
export LC_ALL=C.UTF-8
digest() { printf '%064x' "$1"; }
# TARGET PHASE [MEMBERS OF THE STATE] : a Deployment and its state as two lines for --load
objects() {
  local n=$1 phase=$2 more=${3:-} new uid
  new=registry.example/team/operator@sha256:$(digest 2)
  uid=00000000-0000-0000-0000-$(printf '%012x' "$((10#${n##*-} + 1))")
  [ "$phase" != Stable ] || new=registry.example/team/operator:v1
  printf '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"default","name":"%s","uid":"%s","creationTimestamp":"2026-11-01T00:00:00Z","generation":1,"annotations":{"handover.dev/canary-percent":"10","handover.dev/status":"x"}},"spec":{"paused":true,"replicas":2,"selector":{"matchLabels":{"app":"%s"}},"template":{"metadata":{"labels":{"app":"%s"}},"spec":{"containers":[{"name":"c","image":"%s"}]}}}}\n' "$n" "$uid" "$n" "$n" "$new"
  jq -cn --arg n "$n" --arg uid "$uid" --arg phase "$phase" --argjson more "{${more}}" --arg since "$(date -u -d '2 hours ago' +%FT%TZ)" --arg old "registry.example/team/operator@sha256:$(digest 1)" '
    {apiVersion:"v1",kind:"ConfigMap",metadata:{namespace:"default",name:($n+"-handover"),labels:{"app.kubernetes.io/managed-by":"handover"},
      ownerReferences:[{apiVersion:"apps/v1",kind:"Deployment",name:$n,uid:$uid}]},
     data:{facts:({version:1,targetUID:$uid,stable:{hash:"bcdfghjklm",name:($n+"-abc"),uid:"rs"},paused:true}|tojson),
       state:({version:1,phase:$phase,since:$since,history:[{result:"promoted",hash:"bcdfghjklm",image:$old}]}+$more|tojson)}}'
}
world() { # N
  local i; : >"$dir/objects"
  for ((i = 0; i < $1; i++)); do
    case $i in
      7) objects op-7 Starting '"startedAt":"2026-11-01T00:00:00Z","hold":"NoData","hash":"qrst","canary":"op-7-canary-qrst","message":"the canary has no metrics, and this is a text that does not fit a line of eighty columns at all"' ;;
      11) objects op-11 RolledBack '"hash":"qrst","message":"it was rolled back: 21 of 65 reconciles failed"' ;;
      13) objects op-13 Starting '"startedAt":"2026-11-01T00:00:00Z","hash":"qrst","canary":"op-13-canary-qrst","message":"the canary is starting"' ;;
      *) objects "op-$i" Stable ;;
    esac
  done >>"$dir/objects"
}
serve() { "$HANDOVER" sim --listen "127.0.0.1:$1" --load "$dir/objects" >"$dir/sim.log" 2>&1 & pid_sim=$!; pids+=($!)
  until_true 20 "the server listens" grep -q listening "$dir/sim.log"; server=$(grep -oE 'http://[0-9.:]+' "$dir/sim.log" | head -1); }
gone() { ! kill -0 "$1" 2>/dev/null; }
tm() { tmux -L "handover-$$" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; finish' EXIT
screen() { tm capture-pane -p -t s; }
last_words() { echo "the screen:"; screen; }
shows() { screen | has -E "$1"; }
fits() { local line; while IFS= read -r line; do [ ${#line} -le "$1" ] || return 1; done; }
drawn() { [ "$(tm display -p -t s '#{history_size}')" = 0 ] || fail "it scrolled"; screen | fits "$1" || fail "a line is too long"; }
watch() { # COLUMNS LINES
  tm new-session -d -s s -x "$1" -y "$2" "trap : INT; env -u NO_COLOR '$HANDOVER' status -w --server=$server --lease-namespace=default; read -r _"
}
line_says() { screen | sed -n "${1}p" | has -E "$2"; }
no_session() { ! tm has-session -t s 2>/dev/null; }
leave() { tm kill-session -t s 2>/dev/null || true; until_true 10 "the session ends" no_session; }
end_server() { kill "$pid_sim"; until_true 20 "the server ends" gone "$pid_sim"; }

tm new-session -d -s keeps-the-server cat
for n in 0 1 20 300; do
  world $n; serve 0
  for size in "80 24" "120 40"; do
    width=${size% *}; watch $size
    if [ $n = 0 ]; then
      until_true 20 "nothing is managed" shows '^no Deployment or StatefulSet in namespace default carries the annotation'
    else
      until_true 20 "the header is there at $size with $n" shows '^TARGET +PHASE +SINCE +READY '
      screen | sed -n 1p | has '^leader: ' && screen | sed -n 2p | has '^TARGET ' || fail "leader and header are not on top"
    fi
    if [ $n -ge 20 ]; then
      screen | sed -n 3p | has -E '^op-11 +RolledBack +2h +0/2 .*0{3,}1 -> .*0{3,}2$' && screen | sed -n 5p | has '^op-7 ' || { screen; fail "the most urgent is not the first"; }
      [ "$(screen | grep -c -e '-> ')" = 3 ] || { screen; fail "an arrow is missing"; }
    fi
    if [ $n = 300 ]; then
      until_true 5 "what is left out is counted" shows '^2[0-9][0-9] more: 2[0-9][0-9] Stable$'
      for to in "100 30" "80 10" "200 50" "40 24"; do
        set -- $to; tm resize-window -t s -x "$1" -y "$2"
        until_true 10 "drawn for $to" line_says "$2" more
        drawn "$1"
      done
      width=80; tm resize-window -t s -x 80 -y 24
      end_server
      until_true 20 "the loss is reported" shows '^no answer for [0-9]+s, this is [0-9]+s old: '
      shows '^op-7 ' || fail "what was known is gone"
      drawn 80
      serve "${server##*:}"
      until_true 30 "it goes on" line_says 1 '^leader: '
    fi
    drawn "$width"; [ -z "${SHOW:-}" ] || { echo "== $n targets, $size"; screen; }
    tm send-keys -t s C-c; [ $n = 0 ] || until_true 10 "what was shown last stays" shows '^TARGET +PHASE'
    leave
  done
  end_server
done
# in a pipe nothing is cut, whatever the terminal; $COLUMNS says otherwise
world 20; serve 0
"$HANDOVER" status --server="$server" | has 'at all$' || fail "a message was cut in a pipe"
COLUMNS=60 "$HANDOVER" status --server="$server" | fits 60 || fail "\$COLUMNS does not count"
[ "$("$HANDOVER" get --server="$server" -o name | wc -l)" = 20 ] || fail "-o name"
"$HANDOVER" status --server="$server" -o yaml | has '^version: 1$' || fail "-o yaml"
"$HANDOVER" status --server="$server" -A -o wide | has -E '^default +op-7 +Starting +NoData ' || fail "-o wide"
"$HANDOVER" status --server="$server" -n elsewhere | has 'no Deployment in namespace elsewhere' || fail "-n"
