#!/usr/bin/env bash
# rollout/ is a line: observe -> judge -> plan -> act. A folder includes its own headers and those of the folders before it;
# nothing but act includes the public header rollout/rollout.h, and no file has more than 400 lines.
set -euo pipefail
cd "$(dirname "$0")/../rollout"
order=(observe judge plan act) bad=0
for ((i = 0; i < ${#order[@]}; i++)); do
  for ((k = i + 1; k < ${#order[@]}; k++)); do
    found=$(grep -nE "#include \"${order[k]}/" "${order[i]}"/*.[ch]) && { echo "against the line:"; echo "$found"; bad=1; }
  done
done
found=$(grep -nE '#include "rollout/' observe/*.[ch] judge/*.[ch] plan/*.[ch]) && { echo "against the line:"; echo "$found"; bad=1; }
for f in */*.[ch]; do n=$(wc -l <"$f"); [ "$n" -le 400 ] || { echo "$f: $n lines, at most 400"; bad=1; }; done
exit $bad
