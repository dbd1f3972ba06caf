#!/usr/bin/env bash
# demo.sh [ARGS of `handover demo`] : installs what is missing, builds, and plays the main job on the embedded API server.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd); build=${BUILD:-$top/build-release}
. "$top/deploy/packages.sh"
missing=$(packages_missing $packages_build)
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || { echo "missing, and only root can install them:" $missing >&2; exit 1; }
  echo "installing" $missing
  log=$(mktemp); packages_install "$log" $missing || { tail -20 "$log" >&2; exit 1; }
fi
echo "building"
mkdir -p "$build"
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHANDOVER_TESTS=OFF >"$build/configure.log" 2>&1 || { cat "$build/configure.log" >&2; exit 1; }
ninja -C "$build" handover handover-sim >"$build/build.log" 2>&1 || { tail -40 "$build/build.log" >&2; exit 1; }
exec "$build/handover" demo "$@"
