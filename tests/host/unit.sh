#!/usr/bin/env bash
# deploy/systemd/handover.service says what systemd understands, leaves little open, and forbids nothing that Handover does.
# HANDOVER is the program.
set -euo pipefail
unit=$(cd "$(dirname "$0")/../.." && pwd)/deploy/systemd/handover.service
command -v systemd-analyze >/dev/null || { echo "SKIPPED: systemd-analyze is not installed"; exit 77; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
sed "s|^ExecStart=/usr/bin/handover|ExecStart=$HANDOVER|" "$unit" >"$dir/handover.service"
said=$(systemd-analyze verify --man=no "$dir/handover.service" 2>&1) || { echo "$said"; exit 1; }
if grep -F handover.service <<<"$said"; then exit 1; fi # unknown settings are warnings only

# Exposure in tenths: 2.0 of 10. It is a service that has to be in the network, so it is not less.
systemd-analyze security --offline=yes --no-pager --threshold=20 "$dir/handover.service" >"$dir/exposure" || { cat "$dir/exposure"; exit 1; }
tail -1 "$dir/exposure"

# What it accepts as options is what the unit gives it: a typing error would only show at the start.
args=$(sed -n 's|^ExecStart=/usr/bin/handover ||p' "$unit" | sed "s|%d|$dir|")
rc=0; said=$("$HANDOVER" $args 2>&1) || rc=$?
grep -q "kubeconfig" <<<"$said" && [ $rc = 2 ] || { echo "exit code $rc without a kubeconfig, the unit counts on 2: $said"; exit 1; }

# The exit codes that it names are those of docs/reference/drain.md.
grep -q '^RestartPreventExitStatus=2$' "$unit" && grep -q '^SuccessExitStatus=3$' "$unit"
grace=$(sed -n 's/.*--grace=\([0-9]*\)s.*/\1/p' "$unit"); stop=$(sed -n 's/^TimeoutStopSec=//p' "$unit")
[ "$stop" -ge $((grace + 5)) ] || { echo "TimeoutStopSec=$stop leaves no margin beyond --grace=${grace}s"; exit 1; }
