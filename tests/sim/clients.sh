#!/usr/bin/env bash
# client-go's informers and controller-runtime's manager against the embedded API server: clients.sh SERVER [ARG...]
# SERVER is a program that listens on a port of its own choosing and prints a line with its address. clients.sh --build only builds
# them, from their Go modules (minutes, once; kept outside the tree). Where that cannot be: skipped, with the reason.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/../go.sh"
CACHE=${HANDOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/handover-kubernetes}/clients
program=$CACHE/$(cat "$here/clients"/* | sha256sum | cut -c 1-12)
mkdir -p "$CACHE"
exec 9>"$CACHE/lock"; flock 9 # another run may be building it
if [ ! -x "$program" ]; then
  why=$(go_program "$here/clients" "$program.new" 2>&1 9>&-) || { echo "skipped: $why"; exit 77; }
  mv "$program.new" "$program"
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
