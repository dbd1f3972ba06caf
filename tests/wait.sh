# Waiting in the shell tests: for what happens, never for time to pass. Sourced by tests/sim/lib.sh and tests/cluster/lib.sh, which say in
# last_words() what is known when a wait fails.
fail() { echo "FAIL: $*" >&2; exit 1; }
# has [GREP'S OPTIONS] PATTERN : `grep -q` for the end of a pipe, which reads to the end. grep -q leaves at the first match, who writes to it
# may die of SIGPIPE, and pipefail takes that for a failure: where there is much to read, so only now and then.
has() { local text; text=$(cat); grep -q "$@" <<<"$text"; }
now_ms() { date +%s%3N; }
within() { # SECONDS WHAT COMMAND... : polls until the command succeeds
  local end=$(($(now_ms) + $1 * 1000)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do [ "$(now_ms)" -lt "$end" ] || fail "not within the time: $what; $(last_words)"; sleep 0.1; done
}
for_a_while() { # SECONDS WHAT COMMAND... : the command has to succeed all the time
  local end=$(($(now_ms) + $1 * 1000)) what=$2; shift 2
  while [ "$(now_ms)" -lt "$end" ]; do "$@" >/dev/null 2>&1 || fail "$what; $(last_words)"; sleep 0.2; done
}
