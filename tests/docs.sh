#!/usr/bin/env bash
# The annotations that rollout/plan/spec.c reads are those that docs/reference/annotations.md has in its tables, and the README names no other.
# Every Event reason and hold is in docs/reference/events.md. Every metric of Handover's own is in docs/reference/metrics.md, and every one there exists.
set -euo pipefail
cd "$(dirname "$0")/.."
read_ones() {
  sed -nE 's/^    \{"([a-z-]+)", read_.*/\1/p' rollout/plan/spec.c
  sed -n 's/.*actions\[ACTION_N\] = {\(.*\)};/\1/p' rollout/plan/spec.c | grep -oE '[a-z]+'
}
told() { grep '^|' "$1" | cut -d'|' -f2 | grep -oE '`[a-z-]+`' | tr -d '`' | sort -u; }
in_spec=$(read_ones | sort -u)
[ "$(wc -l <<<"$in_spec")" -gt 15 ] || { echo "FAIL: rollout/plan/spec.c was not understood: $in_spec"; exit 1; }
diff <(echo "$in_spec") <(told docs/reference/annotations.md) || { echo "FAIL: < only rollout/plan/spec.c, > only docs/reference/annotations.md"; exit 1; }
others=$(told <(sed -n '/^## The annotations/,/^## More/p' README.md) | comm -23 - <(echo "$in_spec"))
[ -z "$others" ] || { echo "FAIL: the README names what is not read: $others"; exit 1; }

own() { grep -oE "$1"'handover_[a-z0-9_]+'"$1" | tr -d "$1" | sort -u; }
diff <(grep -rh --include='*.[ch]' 'handover_' src leader rollout | own '"') <(own '`' <docs/reference/metrics.md) ||
  { echo "FAIL: < only in the sources, > only in docs/reference/metrics.md"; exit 1; }

# docs/reference/events.md has every Event reason and every hold, with its type, and no other.
rows() { sed -n "$1" docs/reference/events.md | grep '^| `' | awk -F'|' '{n=split($2,a,","); m=split($3,b,","); for(i=1;i<=n;i++){t=b[m<i?m:i]; gsub(/[` ]/,"",a[i]); gsub(/ /,"",t); print a[i], t}}' | sort; }
in_table=$(sed -nE 's/^ *\[EV_[A-Z_]+\] = \{"([A-Za-z]+)", (NORMAL|WARNING)\},/\1 \2/p' rollout/plan/events.c | sed 's/NORMAL/Normal/; s/WARNING/Warning/' | sort)
ordinary=$(sed -n '/^static bool ordinary/,/^}/p' rollout/plan/events.c | grep -oE 'HOLD_[A-Z_]+')
holds=$(sed -nE 's/^ *\[(HOLD_[A-Z_]+)\] = \{"([A-Za-z]+)".*/\1 \2/p' rollout/plan/state.c |
  while read -r id name; do grep -qx "$id" <<<"$ordinary" && echo "$name Normal" || echo "$name Warning"; done | sort)
[ "$(wc -l <<<"$in_table")" -gt 15 ] && [ "$(wc -l <<<"$holds")" -gt 12 ] || { echo "FAIL: events.c or state.c was not understood"; exit 1; }
diff <(echo "$in_table") <(rows '/^# /,/^## Holds/p') || { echo "FAIL: < only rollout/plan/events.c, > only docs/reference/events.md"; exit 1; }
diff <(echo "$holds") <(rows '/^## Holds/,$p') || { echo "FAIL: < only rollout/plan/state.c, > only docs/reference/events.md, Holds"; exit 1; }
