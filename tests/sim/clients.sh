#!/usr/bin/env bash
# client-go's informers, controller-runtime's manager, and the example on client-go (docs/examples/go) against the embedded API server:
# clients.sh SERVER [ARG...]
# SERVER is a program that listens on a port of its own choosing and prints a line with its address. clients.sh --build only builds
# them, from their Go modules (minutes, once; kept outside the tree). Where that cannot be: skipped, with the reason.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/../go.sh"
CACHE=${HANDOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/handover-kubernetes}/clients
program=$CACHE/$(cat "$here/clients"/* | sha256sum | cut -c 1-12)
tally=$CACHE/tally-$(find "$here/../../docs/examples/go" "$here/../../docs/examples/vectors.txt" -type f -exec cat {} + | sha256sum | cut -c 1-12)
mkdir -p "$CACHE"
exec 9>"$CACHE/lock"; flock 9 # another run may be building it
if [ ! -x "$program" ]; then
  why=$(go_program "$here/clients" "$program.new" 2>&1 9>&-) || { echo "skipped: $why"; exit 77; }
  mv "$program.new" "$program"
fi
if [ ! -x "$tally" ]; then
  why=$(go_program "$here/../../docs/examples/go" "$tally.new" ./checkpoint 2>&1 9>&-) || { echo "skipped: $why"; exit 77; }
  mv "$tally.new.test" "$tally.test"; mv "$tally.new" "$tally"
fi
exec 9>&-
[ "$1" != --build ] || exit 0

work=$(mktemp -d); server=
finish() {
  local rc=$?
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" || { echo "FAIL the server ended badly"; cat "$work/err"; rc=1; }; fi
  rm -rf "$work"; exit $rc
}
trap finish EXIT
"$@" >"$work/out" 2>"$work/err" & server=$!
for _ in $(seq 200); do address=$(grep -oE 'http://[0-9.:]+' "$work/out" | head -1) && break; sleep 0.05; done
[ -n "$address" ] || { echo "FAIL the server did not start"; cat "$work/err"; exit 1; }
timeout 300 "$program" "$address" 2>"$work/log" || { tail -20 "$work/log"; exit 1; }
VECTORS=$here/../../docs/examples/vectors.txt timeout 60 "$tally.test" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
echo "ok   the checkpoint's test vectors, in Go"
TALLY_GO=$tally HANDOVER=$1 timeout 300 bash "$here/successors.sh"
