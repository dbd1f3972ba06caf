#!/usr/bin/env bash
# demo.sh [ARGS of `handover demo`] : installs what is missing, builds, and plays the main job on the embedded API server.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd); build=${BUILD:-$top/build-release}
needs="gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libcurl4-openssl-dev libcjson-dev libsystemd-dev libyaml-dev libssl-dev libhttp-parser-dev uthash-dev zlib1g-dev"
missing=; for p in $needs; do [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"; done
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || { echo "missing, and only root can install them:$missing" >&2; exit 1; }
  echo "installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp); { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1 || { tail -20 "$log" >&2; exit 1; }
fi
echo "building"
mkdir -p "$build"
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHANDOVER_TESTS=OFF >"$build/configure.log" 2>&1 || { cat "$build/configure.log" >&2; exit 1; }
ninja -C "$build" handover handover-sim >"$build/build.log" 2>&1 || { tail -40 "$build/build.log" >&2; exit 1; }
exec "$build/handover" demo "$@"
