#!/usr/bin/env bash
# src/sim/: store/ knows neither of rest/ nor of controllers/, and these two nothing of each other; sim.c ties them together.
set -euo pipefail
cd "$(dirname "$0")/../src/sim"
bad=0
against() { if grep -nE "#include \"($2)/" "$1"/*.[ch]; then echo "FAIL: $1 includes $2"; bad=1; fi; }
against store 'rest|controllers'
against rest controllers
against controllers rest
exit $bad
