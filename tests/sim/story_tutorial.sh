# docs/tutorial.md followed to the letter: its blocks are run in order, in one shell, and what the page says of each is so.
# shellcheck disable=SC2154 # $a and $b are the page's
. "$(dirname "$0")/lib.sh"
command -v kubectl >/dev/null || { echo "SKIPPED: kubectl is not installed"; exit 77; }
page=$top/docs/tutorial.md port=$((20000 + RANDOM % 10000)); cd "$dir" || exit 1
block() { # N : the commands of the Nth block that is run
  awk -v n="$1" '/^ *```sh$/ {on = ++k == n; next} /^ *```/ {on = 0} on' "$page" | sed "s|\./build-release/handover|$HANDOVER|; s|127.0.0.1:8001|127.0.0.1:$port|; s|handover sim |handover sim --listen=127.0.0.1:$port |"
}
follow() { # N : runs it; what it says is in "said"
  local text; text=$(block "$1"); [ -n "$text" ] || fail "$page has no block $1"
  eval "$text" >said 2>&1 || fail "block $1 ended with $?: $text: $(cat said)"
  mapfile -t pids < <(jobs -p)
}
says() { grep -qE "$1" said || fail "it says: $(cat said)"; }
serves() { k get namespaces >/dev/null 2>&1; }
images() { k get pods -o jsonpath='{.items[*].spec.containers[0].image}' | tr ' ' '\n' | sort | uniq -c | xargs; }

follow 1; until_true 10 "the server is there" serves
follow 2; follow 3; says '^deployment/widget: promoted: example.com/widget:v1 is in service'
follow 4; says '^deployment/widget: promoted: example.com/widget:v2 is in service'
[ "$(images)" = "4 example.com/widget:v2" ] || fail "pods: $(images)"
follow 5; says 'rolled back: .* reconciles failed'; says '^it ended with 3$'; says 'RolledBack since '; says 'handover retry '
follow 6; says 'AwaitingApproval: step 1 of 2 \(25 %\) has passed'; says '^it ended with 4$'; says 'resume accepted'
follow 7; says '^deployment/widget: promoted: example.com/widget:v3 is in service'
follow 8; [ -z "$(k get deployment widget -o 'jsonpath={.spec.paused}')" ] || fail "it is paused"
k get deployment widget -o json | jq -e '.metadata.annotations | keys | map(select(startswith("handover.dev/canary") or . == "handover.dev/status")) == []' >/dev/null ||
  fail "left: $(k get deployment widget -o json | jq -c .metadata.annotations)"
follow 9; says '^1 workload would restart \(4 pods\)$'; says 'image: "example.com/widget:v3" -> "example.com/widget:v4"$'; says '^it ended with 3$'; says '^example.com/widget:v3$'
[ -z "$(block 10)" ] || fail "a block that is not followed"
