#!/usr/bin/env bash
# tests/bench/run.sh NAME [ARGUMENTS]: runs the bench NAME in Release mode: a script NAME.sh that builds what it needs in
# $BUILD, or else the program bench_NAME. Prints lines "NAME VALUE UNIT" and fails when an aim is missed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
name=${1:-}
if [ -z "$name" ] || [ "$name" = run ] || { [ ! -f "$here/$name.sh" ] && [ ! -f "$here/$name.cmake" ]; }; then
  echo "usage: tests/bench/run.sh NAME [ARGUMENTS]; NAME is one of:" \
    "$(cd "$here" && ls -- *.cmake *.sh | sed 's/\.[a-z]*$//' | grep -vx run | sort -u | tr '\n' ' ')" >&2
  exit 2
fi
shift
export BUILD=${BUILD:-$top/build-bench}
[ ! -f "$here/$name.sh" ] || exec "$here/$name.sh" "$@"
mkdir -p "$BUILD"
{ cmake -S "$top" -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$BUILD" "bench_$name"; } >"$BUILD/$name.log" 2>&1 ||
  { tail -30 "$BUILD/$name.log" >&2; exit 1; }
exec "$BUILD/tests/bench/bench_$name" "$@"
