#!/usr/bin/env bash
# Does run.sh end as it should? Stories of our own and a kubectl that knows a few answers; no cluster.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v jq >/dev/null || { echo "SKIPPED: jq is not installed"; exit 77; }
d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
mkdir -p "$d/tests" "$d/bin" "$d/deploy"
cp -r "$here" "$d/tests/cluster"; cp "$here/../wait.sh" "$d/tests/"; cp -r "$here/../../deploy/manifests" "$d/deploy/"
rm "$d"/tests/cluster/stories/*
tell() { cat >"$d/tests/cluster/stories/$1.sh"; }
cat >"$d/bin/kubectl" <<'K'
#!/bin/sh
case " $* " in *" -f - "*) cat >/dev/null ;; esac
case " $* " in
  *" create --dry-run"*) echo '{"spec":{"template":{"spec":{"containers":[{"args":[]}]}}}}' ;;
  *" $BROKEN "*) exit 1 ;;
  *" get pods "*) echo '{"items":[]}' ;;
  *" get rs "*) printf '{"items":[{"metadata":{"name":"op-canary-1"},"spec":{"replicas":%s}}]}\n' "$CANARY" ;;
  *) echo '{}' ;;
esac
K
chmod +x "$d/bin/kubectl"
export PATH=$d/bin:$PATH KUBECONFIG=/dev/null HANDOVER_IMAGE=x OPERATOR_IMAGE=y BROKEN=nothing CANARY=0
ends() { # EXIT-CODE LAST-LINE STORIES...
  local code=$1 last=$2 rc=0; shift 2
  bash "$d/tests/cluster/run.sh" "$@" >"$d/out" 2>&1 || rc=$?
  [ "$rc" = "$code" ] && [ "$(tail -n 1 "$d/out")" = "$last" ] && return
  echo "FAIL: stories $*: exit code $rc, wanted $code and \"$last\":"; cat "$d/out"; exit 1
}
tell told <<<'true'
tell untold <<<'skip "not here"'
tell slow <<<$'# tags: long\nfail "it ran"'
tell broken <<<'fail "as it is"'
tell solo_told <<<'true'
ends 0 '2 passed, 0 failed' told solo_told untold
grep -q '^skip untold: not here$' "$d/out" || { echo "FAIL: it does not say what was skipped"; exit 1; }
ends 1 '2 passed, 1 failed' # all of them
ends 1 '0 passed, 1 failed' untold # nothing ran
ends 1 '0 passed, 1 failed' absent
STORIES=beside ends 1 '1 passed, 1 failed' # told and broken, of those without solo_ that may run
STORIES=solo-1/1 ends 0 '1 passed, 0 failed'
STORIES=solo-3/2 ends 1 '0 passed, 1 failed' # there is no third of two
STORIES=some ends 2 '0 passed, 1 failed'
BROKEN=logs ends 1 '0 passed, 1 failed' broken # not even the logs can be had
BROKEN=rollout ends 1 '0 passed, 1 failed' told # Handover does not come up
BROKEN=namespace ends 1 '0 passed, 1 failed' told
HANDOVER_IMAGE= ends 2 '0 passed, 1 failed' told

for n in 1 2 3; do tell flaky$n <<<"[ -e '$d/flaky$n' ] || { touch '$d/flaky$n'; fail 'for the first time'; }"; done
ends 0 '2 passed, 0 failed' flaky1 flaky2
grep -q 'flaky, passed only at a second run: flaky1 flaky2$' "$d/out" || { echo "FAIL: it does not say which are flaky"; exit 1; }
rm "$d"/flaky?; ends 1 '3 passed, 1 failed' flaky1 flaky2 flaky3 # more than two hide something

tell gone <<<'no_canary op || fail "a canary"'
ends 0 '1 passed, 0 failed' gone
CANARY=1 ends 1 '0 passed, 1 failed' gone # its ReplicaSet wants a pod
tell endless <<<$'# seconds: 1\ntail -f /dev/null'
ends 1 '0 passed, 1 failed' endless # the time that it asks for is over

tell node <<<'. ./leadership.sh'
ends 1 '0 passed, 1 failed' node # not our node: nothing was looked at

# Versions: a word for one of them, a whole one, and one that nobody knows.
. "$here/versions.sh"
[ "$(kubernetes_version current)" = "$(kubernetes_version "$(kubernetes_version current | cut -d. -f1,2)")" ] || { echo "FAIL: the current version"; exit 1; }
[ "$(kubernetes_version oldest) $(kubernetes_version 1.36.3)" = "1.20.2 1.36.3" ] || { echo "FAIL: the oldest version, a whole one"; exit 1; }
! kubernetes_version 1.19 2>/dev/null && ! kubernetes_version 1.2 2>/dev/null || { echo "FAIL: an unknown version"; exit 1; }
# Programs of others: a folder is used as it is, nothing is built.
[ "$(KUBEBUILDER_ASSETS=/some/where "$here/programs.sh" current)" = /some/where ] || { echo "FAIL: KUBEBUILDER_ASSETS"; exit 1; }
for s in "$here"/stories/*.sh; do # a tag that nobody reads is a story that nobody tells
  [ -z "$(grep -E '^# tags:' "$s" | grep -vE '^# tags:( (oldest|api|long))+$')" ] || { echo "FAIL: unknown tags in $s"; exit 1; }
  [ -z "$(grep -E '^# seconds:' "$s" | grep -vE '^# seconds: [1-9][0-9]*$')" ] || { echo "FAIL: no number of seconds in $s"; exit 1; }
done
echo "all as it should be"
