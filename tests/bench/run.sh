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
. "$here/lib/build.sh"; export BUILD
[ ! -f "$here/$name.sh" ] || exec "$here/$name.sh" "$@"
build_here "$name" "bench_$name"
exec "$BUILD/tests/bench/bench_$name" "$@"
