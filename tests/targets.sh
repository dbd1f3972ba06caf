#!/usr/bin/env bash
# targets.sh BUILD RE : the ninja targets that the tests whose names match RE need: every file of the build folder that a test's command
# or properties name. (A program that a test finds by itself stands in its property REQUIRED_FILES.)
set -euo pipefail
build=$(realpath "$1")
names=$(cd "$build" && ctest -N -R "$2" | sed -nE 's/^ +Test +#[0-9]+: //p')
[ -n "$names" ] || exit 0
find "$build" -name CTestTestfile.cmake -exec cat {} + |
  awk -F '\\[=\\[|\\]=\\]' 'NR == FNR {want[$0]; next} /^(add_test|set_tests_properties)\(/ && $2 in want' <(echo "$names") - |
  tr '"; =' '\n' | awk -v b="$build/" 'index($0, b) == 1 {print substr($0, length(b) + 1)}' | sort -u |
  grep -Fxf - <(ninja -C "$build" -t targets all | sed -n 's/: .*//p') | sort -u || true
