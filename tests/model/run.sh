#!/usr/bin/env bash
# Checks the model of the lease protocol with Spin: exhaustively as it is, and once with each planted fault, which must be
# found. Exit code 77: skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (Debian: apt-get install $tool)"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check NAME EXPECTED [-D...]: EXPECTED is "holds" or a part of the assertion that must fail.
check() {
  local name=$1 expected=$2 dir=$work/$1
  shift 2
  mkdir -p "$dir"
  cd "$dir"
  spin -a "$@" "$here/lease.pml" >spin.log 2>&1 || { cat spin.log; echo "FAILED $name: spin"; return 1; }
  # A fault is found soon, the whole takes a while: compile accordingly.
  local optimize=-O0
  [ "$expected" != holds ] || optimize=-O1
  gcc -w $optimize -DSAFETY -o pan pan.c || { echo "FAILED $name: gcc"; return 1; }
  ./pan -m1000000 >pan.log 2>&1 || true
  local states
  states=$(awk '/states, stored/ {print $1}' pan.log)
  if grep -q "max search depth too small\|out of memory\|Search not completed" pan.log && [ "$expected" = holds ]; then
    cat pan.log; echo "FAILED $name: not exhaustive"; return 1
  fi
  if [ "$expected" = holds ]; then
    grep -q "errors: 0" pan.log || { cat pan.log; echo "FAILED $name: an invariant is broken"; return 1; }
    echo "$name: holds in all $states states"
  else
    grep -qF "assertion violated" pan.log && grep -qF -- "$expected" pan.log ||
      { cat pan.log; echo "FAILED $name: the planted fault was not found"; return 1; }
    echo "$name: found after $states states: $(grep -o 'assertion violated.*' pan.log | head -1)"
  fi
}

check sound holds
check no-fence working -DNO_FENCE                       # two that may mutate at once
check fence-from-answer working -DFENCE_FROM_ANSWER
check lying-certificate working -DLYING_CERTIFICATE
check release-early '!(working[i])' -DRELEASE_EARLY     # released before the work had stopped
check blind-release '(holder==i)' -DBLIND_RELEASE       # released what is another's
check no-precondition 'wterm' -DNO_PRECONDITION         # terms do not grow
check trial holds -DTRIAL -DBOUND=5                      # a canary that is named, or steps in
check canary-unnamed 'named' -DTRIAL -DBOUND=5 -DUNNAMED
check bound-is-tight 'gap' -DBOUND=2                    # "a leader again" is really looked at
