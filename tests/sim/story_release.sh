# Who has said what stands in the Event and in the history; a target is released when its annotation goes, refused where that would ship a version
# that is not in service, and forced. The same program is kubectl's plugin.
# shellcheck shell=bash
. "$(dirname "$0")/lib.sh"
rate='"reconcilesPerSecond":40'
sim --script "{\"image\":\"*:v?\",$rate}"
ask() { "$HANDOVER" "$@" --server="$server"; }
says() { # EXIT-CODE PATTERN COMMAND...
  local rc=0 want=$1 pattern=$2; shift 2
  ask "$@" >"$dir/said" 2>&1 || rc=$?
  [ $rc = "$want" ] && grep -qE "$pattern" "$dir/said" || fail "$* ended with $rc and said: $(cat "$dir/said")"
}
event_says() { events | has -E "$1"; }
gone() { ! api GET /api/v1/namespaces/default/configmaps/op-handover >/dev/null 2>&1; }
handover a; target op:v1 canary-percent=50 soak=20s max-error-rate=5% quiet=1s; adopted
says 0 '^no rollout has ended yet$' history op
set_image op:v2; wait_phase Soaking 20
says 0 '^deployment/op: pause accepted, Soaking: paused by alice; ' pause op --as=alice
says 0 'resume accepted' resume op --as='bob@example.com'
says 0 '^deployment/op: abort accepted, .*: aborted by carol$' abort op --as=carol
wait_phase RolledBack 20
until_true 10 "the Events say who" event_says '^Paused paused by alice in phase Soaking'
event_says '^Resumed resumed by bob@example.com in phase Soaking' || fail "nobody resumed it: $(events)"
says 0 ' aborted +[0-9a-z]+ .*op:v2$' history op
ask history deployment/op | has '^    aborted by carol$' || fail "the history does not say who: $(ask history op)"
ask history op -o json | jq -e '.version == 1 and .rollouts[0].result == "aborted" and .rollouts[0].reason == "aborted by carol" and (.quarantine | length == 1)' >/dev/null || fail "$(ask history op -o json)"
ask history op -o yaml | has '^- result: aborted$' || fail "history as YAML: $(ask history op -o yaml)"
# by hand, with another program
curl -sS -f -o /dev/null -X PATCH -H 'Content-Type: application/merge-patch+json' "$server$deploy/op?fieldManager=kubectl-annotate" \
  --data-binary "{\"metadata\":{\"annotations\":{\"handover.dev/retry\":\"$(state .hash)\"}}}"
retried() { event_says '^Retried a user \(kubectl-annotate\) asked for a retry of op:v2$'; }
until_true 20 "another program's word is reported with its name" retried
wait_phase Soaking 30

says 1 'the release is refused|op:v2, which is not in service .* force it: handover release op -n default --force$|force it: ' release op --lease-namespace=default
paused || fail "it was unpaused although the release is refused"
says 1 'Handover has not done so within 1s|is refused|force it' release op --timeout=1s --lease-namespace=default
api GET "$deploy/op" | jq -e '.metadata.annotations["handover.dev/canary-percent"] == null' >/dev/null || fail "the annotation is there"
says 0 '^deployment/op in namespace default: released$' release op --force --lease-namespace=default
gone || fail "the state is left"
api GET "$deploy/op" | jq -e '.spec.paused != true and (.metadata.annotations // {} | keys | map(select(startswith("handover.dev/"))) | . == [] or . == ["handover.dev/soak"] or all(test("soak|rate|quiet")))' >/dev/null ||
  fail "something is left: $(api GET "$deploy/op" | jq -c '[.spec.paused, .metadata.annotations]')"
says 1 'Handover does not guard it' release op
annotate canary-percent '"50"'; until_true 30 "guarded again" paused; wait_phase Stable 20
says 0 '^deployment/op in namespace default: released$' release --all --lease-namespace=default
gone || fail "the state is left"
says 0 '^there is nothing to release$' release --all

# kubectl's plugin: the same program under another name, and what it says of itself
ln -s "$HANDOVER" "$dir/kubectl-handover"; ln -s "$HANDOVER" "$dir/kubectl_complete-handover"
"$dir/kubectl-handover" status -h | has 'Usage: kubectl handover status ' || fail "the plugin calls itself otherwise"
annotate canary-percent '"50"'
[ "$("$dir/kubectl_complete-handover" stat)" = "$(printf 'status\tShow every target and what happens to it\n:4')" ] || fail "the plugin's completion: $("$dir/kubectl_complete-handover" stat)"
[ "$("$dir/kubectl_complete-handover" explain --server="$server" o)" = "$(printf 'op\n:4')" ] || fail "targets are not completed"
[ "$("$dir/kubectl_complete-handover" explain -n other --server="$server" o)" = ":4" ] || fail "another namespace's targets are completed"
complete() { "$dir/kubectl_complete-handover" "$@" | paste -sd' '; }
api POST /api/v1/namespaces '{"metadata":{"name":"shop"}}' >/dev/null
[ "$(complete status --server="$server" -n sh)" = "shop :4" ] && [ "$(complete run --server="$server" --lease-namespace=sh)" = "--lease-namespace=shop :4" ] || fail "namespaces are not completed"
printf 'apiVersion: v1\nkind: Config\ncontexts: [{name: west, context: {}}, {name: east, context: {}}]\n' >"$dir/contexts"
[ "$(complete status --kubeconfig="$dir/contexts" --context w)" = "west :4" ] && [ "$(KUBECONFIG=/nonexistent:$dir/contexts complete status --context=)" = "--context=west --context=east :4" ] || fail "contexts are not completed"
if command -v kubectl >/dev/null; then
  PATH=$dir:$PATH kubectl handover status --server="$server" | has -E '^op ' || fail "kubectl handover status"
fi
# what the shells make of it
cat >"$dir/try.bash" <<'EOF'
source <("$1" completion bash)
export PATH=$(dirname "$1"):$PATH
try() { COMP_LINE="handover $*" COMP_POINT=${#COMP_LINE}; COMP_LINE="handover $*"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(handover "$@"); _handover; echo "${COMPREPLY[*]}"; }
try sta; try status --output=y; try 'completion ' ; try 'deadletter d'
EOF
[ "$(bash "$dir/try.bash" "$HANDOVER" | paste -sd'|')" = 'status|yaml|bash zsh fish|drop' ] || fail "bash: $(bash "$dir/try.bash" "$HANDOVER")"
if command -v fish >/dev/null; then
  [ "$(PATH=$(dirname "$HANDOVER"):$PATH fish -c 'handover completion fish | source; complete -C"handover deadletter r"')" = retry ] || fail "fish"
fi
if command -v zsh >/dev/null; then
  printf 'autoload -U compinit; compinit -D -u; source <("%s" completion zsh); (( $+functions[_handover] )) && [[ $_comps[handover] == _handover ]] && print ok\n' "$HANDOVER" >"$dir/try.zsh"
  [ "$(zsh -f "$dir/try.zsh")" = ok ] || fail "zsh: $(zsh -f "$dir/try.zsh" 2>&1)"
fi
