#!/usr/bin/env bash
# style.sh : no C file is longer than 500 lines, and no source, script or page uses a word that has a standard one (docs/glossary.md).
set -euo pipefail
cd "$(dirname "$0")/.."
max=500
# not|instead : as grep -E reads it, at word boundaries, in any case
words='whoever|name the role: the caller, a process
he|it: a leader, a pod and a process are things
his|its
him|it
speaks? of|says, names, references
(\w+_)?(is|are|was|were|be)[ _]told(_\w+)?|gets, receives, is reported
tells? the status|patches the status annotation
(\w+_)?told[ _]once|reported once
watchdog.s food|WATCHDOG=1
curtain|begin, end
is tried beside|rollout of X started; stable is Y
overtaken|superseded
foreignrollout|UnmanagedRollout
ratelearned|BaselineMeasured
plan_(out|look|wind|guard|trial|leave|action)|plan_steps, plan_query, enforce_paused, canary_teardown, ...
lease_know|lease_observe
election_(work|sweep)|checkpoint_io, checkpoint_gc'

files() { git ls-files -z -- "$@" 2>/dev/null || find src leader rollout tests deploy docs README.md CONTRIBUTING.md -type f -print0; }
rc=0
while read -r lines file; do
  [ "$file" != total ] && [ "$lines" -gt $max ] || continue
  echo "FAIL: $file has $lines lines, at most $max are allowed"; rc=1
done < <(files '*.c' '*.h' | grep -zE '\.[ch]$' | xargs -0 wc -l)

# The old words themselves stand in this file and in the tests of what reads them.
while IFS='|' read -r rest; do
  word=${rest%|*} instead=${rest##*|}
  found=$(files '*.c' '*.h' '*.sh' '*.md' '*.yaml' '*.cmake' '*CMakeLists.txt' | grep -zvE '^tests/style\.sh$|/corpus/' |
    xargs -0 grep -niE "(^|[^[:alnum:]_])($word)([^[:alnum:]_]|\$)" /dev/null) || continue
  while read -r line; do echo "FAIL: \"$word\" (better: $instead): $line"; done <<<"$found"; rc=1
done <<<"$words"

# grep -q at the end of a pipe leaves at the first match; its writer dies of SIGPIPE, and pipefail calls that a failure, now and then.
if found=$(files '*.sh' | grep -z '^tests/' | grep -zvE '^tests/(style|wait)\.sh$' | xargs -0 grep -nE '(^|[^|])\| *grep -[a-zA-Z]*q' /dev/null); then
  while read -r line; do echo "FAIL: a pipe into grep -q (better: has, of tests/wait.sh): $line"; done <<<"$found"; rc=1
fi
exit $rc
