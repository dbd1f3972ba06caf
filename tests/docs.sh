#!/usr/bin/env bash
# docs.sh reference | links | contributing BUILD : the documentation is true.
#   reference      the annotations that rollout/plan/spec.c reads are those of docs/reference/annotations.md, and the README names no
#                  other; every metric of Handover's own is in docs/reference/metrics.md, every Event reason and hold in events.md, and no other
#   links          every link from one page to another leads to a file, and to a heading where it names one
#   contributing   runs each command of CONTRIBUTING.md that stands in a block ```sh; those in ```sh SOMETHING (a cluster, clang, minutes
#                  are needed) are parsed, and the scripts and folders that they name exist
set -euo pipefail
cd "$(dirname "$0")/.."

reference() {
  read_ones() {
    sed -nE 's/^    \{"([a-z-]+)", read_.*/\1/p' rollout/plan/spec.c
    sed -n 's/.*actions\[ACTION_N\] = {\(.*\)};/\1/p' rollout/plan/spec.c | grep -oE '[a-z]+'
  }
  named() { grep '^|' "$1" | cut -d'|' -f2 | grep -oE '`[a-z-]+`' | tr -d '`' | sort -u; }
  local in_spec others; in_spec=$(read_ones | sort -u)
  [ "$(wc -l <<<"$in_spec")" -gt 15 ] || { echo "FAIL: rollout/plan/spec.c was not understood: $in_spec"; exit 1; }
  diff <(echo "$in_spec") <(named docs/reference/annotations.md) || { echo "FAIL: < only rollout/plan/spec.c, > only docs/reference/annotations.md"; exit 1; }
  others=$(named <(sed -n '/^## The annotations/,/^## More/p' README.md) | comm -23 - <(echo "$in_spec"))
  [ -z "$others" ] || { echo "FAIL: the README names what is not read: $others"; exit 1; }
  own() { grep -oE "$1"'handover_[a-z0-9_]+'"$1" | tr -d "$1" | sort -u; }
  diff <(grep -rh --include='*.[ch]' 'handover_' src leader rollout | own '"') <(own '`' <docs/reference/metrics.md) ||
    { echo "FAIL: < only in the sources, > only in docs/reference/metrics.md"; exit 1; }
}

# docs/reference/events.md has every Event reason and every hold, with its type, and no other.
events() {
  local in_table ordinary holds
  rows() { sed -n "$1" docs/reference/events.md | grep '^| `' | awk -F'|' '{n=split($2,a,","); m=split($3,b,","); for(i=1;i<=n;i++){t=b[m<i?m:i]; gsub(/[` ]/,"",a[i]); gsub(/ /,"",t); print a[i], t}}' | sort; }
  in_table=$(sed -nE 's/^ *\[EV_[A-Z_]+\] = \{"([A-Za-z]+)", (NORMAL|WARNING)\},/\1 \2/p' rollout/plan/events.c | sed 's/NORMAL/Normal/; s/WARNING/Warning/' | sort)
  ordinary=$(sed -n '/^static bool ordinary/,/^}/p' rollout/plan/events.c | grep -oE 'HOLD_[A-Z_]+')
  holds=$(sed -nE 's/^ *\[(HOLD_[A-Z_]+)\] = \{"([A-Za-z]+)".*/\1 \2/p' rollout/plan/state.c |
    while read -r id name; do grep -qx "$id" <<<"$ordinary" && echo "$name Normal" || echo "$name Warning"; done | sort)
  [ "$(wc -l <<<"$in_table")" -gt 15 ] && [ "$(wc -l <<<"$holds")" -gt 12 ] || { echo "FAIL: events.c or state.c was not understood"; exit 1; }
  diff <(echo "$in_table") <(rows '/^# /,/^## Holds/p') || { echo "FAIL: < only rollout/plan/events.c, > only docs/reference/events.md"; exit 1; }
  diff <(echo "$holds") <(rows '/^## Holds/,$p') || { echo "FAIL: < only rollout/plan/state.c, > only docs/reference/events.md, Holds"; exit 1; }
}

links() {
  local page link file anchor n=0 rc=0
  while IFS=: read -r page link; do
    n=$((n + 1)); file=${link%%#*}; anchor=${link#"$file"}; anchor=${anchor#\#}
    file=$(dirname "$page")/$file; [ "${link%%#*}" ] || file=$page
    [ -e "$file" ] || { echo "FAIL: $page: $link leads nowhere"; rc=1; continue; }
    # a heading's anchor: lower case, without punctuation, blanks as '-'
    [ -z "$anchor" ] || [ -n "$(grep -E '^#+ ' "$file" | sed -E 's/^#+ //' | tr 'A-Z' 'a-z' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g' | grep -xF -- "$anchor")" ] ||
      { echo "FAIL: $page: $link names no heading of $file"; rc=1; }
  done < <(grep -oHE '\]\([^):]+\)' ./*.md docs/*.md docs/reference/*.md | sed -E 's/\]\((.*)\)$/\1/')
  [ $n -gt 20 ] || { echo "FAIL: only $n links were found"; rc=1; }
  return $rc
}

blocks() { awk -v want="$1" '/^```/ {on = $0 ~ want; next} on && NF' CONTRIBUTING.md; }
# cmake and tests/run.sh get a build folder of their own, so that nothing is configured anew under a test run.
contributing() {
  local build own line log rc=0; build=$(realpath "$1"); own=$build/docs log=$(mktemp)
  unset CI; export BUILD=$own HANDOVER=$build/handover HOST_DIR=$build/tests/host
  while read -r line; do
    echo "\$ $line"
    if [[ $line == cmake* ]]; then set -- "${line//-B build/-B $own}"; else set -- "${line//build\//$build/}"; set -- "${1//-C build/-C $build}"; fi
    bash -euo pipefail -c "$1" >"$log" 2>&1 </dev/null || { tail -n 40 "$log"; echo "FAIL: CONTRIBUTING.md: $line"; rc=1; }
  done < <(blocks '^```sh$')
  local programs; programs=$(blocks '^```sh .' | grep -oE '(tests|src|deploy)/[^ )"]+')
  for line in $programs; do [ -e "$line" ] || [[ $line == tests/fuzz/fuzz_* ]] || { echo "FAIL: CONTRIBUTING.md: $line does not exist"; rc=1; }; done
  blocks '^```sh .' | bash -n || rc=1
  rm -f "$log"
  return $rc
}

case ${1:-} in
  reference) reference; events ;;
  links) links ;;
  contributing) contributing "${2:?the build folder}" ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
