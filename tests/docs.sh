#!/usr/bin/env bash
# docs.sh reference | links | commands | man BUILD | contributing BUILD : the documentation is true.
#   reference      the annotations that rollout/plan/spec.c reads are those of docs/reference/annotations.md, and the README names no
#                  other; every metric of Handover's own is in docs/reference/metrics.md, every Event reason and hold in events.md, and no other
#   links          every link from one page to another leads to a file, and to a heading where it names one
#   commands       each command of handover that an Event, a message, an alert or a page names exists, and each that exists is in cli.md
#   man            the manual pages have each command and each option; what is installed is complete, and a plugin of kubectl
#   contributing   runs each command of CONTRIBUTING.md that stands in a block ```sh; those in ```sh SOMETHING (a cluster, clang, minutes
#                  are needed) are parsed, and the scripts and folders that they name exist
set -euo pipefail
cd "$(dirname "$0")/.."

# As rollout/plan/spec.c has them.
user_commands() { tr '\n' ' ' <rollout/plan/spec.c | grep -oE 'actions\[ACTION_N\] = [^}]*' | grep -oE '"[a-z]+"' | tr -d '"'; }

reference() {
  read_ones() {
    sed -nE 's/^    \{"([a-z-]+)", read_.*/\1/p' rollout/plan/spec.c
    user_commands
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

# What `handover doctor` asks about is what the manifests grant: group, resource, verbs, name, and whether it is in Handover's own namespace.
rights() {
  local asked granted
  asked=$(tr '\n' ' ' <src/cli/doctor_checks.c | grep -oE '\{"[a-z0-9.]*", *"[a-z]+", *"[a-z,]+", *(NULL|"[a-z-]+"), *(true|false), *(true|false)\}' | tr -d '{}" ' |
    sed -E 's/,(NULL|[a-z-]+),(true|false),(true|false)$/ \1 \2 \3/; s/^([^,]*),([^,]*),/\1 \2 /' | sort)
  granted=$(awk 'function list(s) {sub(/ *#.*/, "", s); gsub(/.*\[|\].*|"| /, "", s); return s}
    /^kind: /{kind = $2} /apiGroups:/{group = list($0); name = "NULL"} /resources:/{n = split(list($0), what, ",")} /resourceNames:/{name = list($0)}
    / verbs:/{for (i = 1; i <= n; i++) print group " " what[i] " " list($0) " " name " " (kind == "Role" ? "true" : "false")}' deploy/manifests/10-rbac.yaml | sort)
  [ "$(wc -l <<<"$asked")" -gt 8 ] || { echo "FAIL: src/cli/doctor_checks.c was not understood"; exit 1; }
  # what is optional (the last column) need not be granted
  diff <(grep -vxFf <(comm -13 <(echo "$granted") <(sed -n 's/ true$//p' <<<"$asked" | sort)) <(sed -E 's/ (true|false)$//' <<<"$asked") | sort) <(echo "$granted") || { echo "FAIL: < only asked by handover doctor, > only granted by deploy/manifests/10-rbac.yaml"; exit 1; }
}

# docs/reference/events.md has every Event reason and every hold, with its type, and no other.
events() {
  local in_table ordinary holds
  rows() { # RANGE ACTION: the column of the action, or the word for all
    sed -n "$1" docs/reference/events.md | grep '^| `' |
      awk -F'|' -v act="$2" 'function at(v, k, i) {return v[k<i?k:i]} {n=split($2,a,","); m=split($3,b,","); l=split(act ~ /^[0-9]+$/ ? $act : act,c,","); for(i=1;i<=n;i++){line=a[i] "," at(b,m,i) "," at(c,l,i); gsub(/[` ]/,"",line); gsub(/,/," ",line); print line}}' | sort
  }
  in_table=$(sed -nE 's/^ *\[EV_[A-Z_]+\] = \{"([A-Za-z]+)", (NORMAL|WARNING), "([A-Za-z]+)"\},/\1 \2 \3/p' rollout/plan/events.c | sed 's/NORMAL/Normal/; s/WARNING/Warning/' | sort)
  ordinary=$(sed -n '/^static bool ordinary/,/^}/p' rollout/plan/events.c | grep -oE 'HOLD_[A-Z_]+')
  holds=$(sed -nE 's/^ *\[(HOLD_[A-Z_]+)\] = \{"([A-Za-z]+)".*/\1 \2/p' rollout/plan/state.c |
    while read -r id name; do grep -qx "$id" <<<"$ordinary" && echo "$name Normal Wait" || echo "$name Warning Wait"; done | sort)
  [ "$(wc -l <<<"$in_table")" -gt 15 ] && [ "$(wc -l <<<"$holds")" -gt 12 ] || { echo "FAIL: events.c or state.c was not understood"; exit 1; }
  diff <(echo "$in_table") <(rows '/^# /,/^## Holds/p' 4) || { echo "FAIL: < only rollout/plan/events.c, > only docs/reference/events.md"; exit 1; }
  diff <(echo "$holds") <(rows '/^## Holds/,$p' Wait) || { echo "FAIL: < only rollout/plan/state.c, > only docs/reference/events.md, Holds"; exit 1; }
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
  done < <(grep -oHE '\]\([^):]+\)' ./*.md docs/*.md docs/reference/*.md docs/examples/*.md | sed -E 's/\]\((.*)\)$/\1/')
  [ $n -gt 20 ] || { echo "FAIL: only $n links were found"; rc=1; }
  return $rc
}

# The table of commands, as the sources have it.
command_table() {
  local f; for f in src/cli/cmd_*.c; do tr '\n' ' ' <"$f" | grep -oE 'cli_[a-z]+ = \{ *"[a-z]+"' | grep -oE '"[a-z]+"' | tr -d '"'; done | sort -u
}
commands() {
  local there named unknown missing
  there=$(command_table); [ "$(wc -l <<<"$there")" -gt 15 ] || { echo "FAIL: the table of commands was not understood: $there"; exit 1; }
  # in messages and pages a command stands between backticks, or in a block of its own; a message that is made has the name of a user command
  named=$( { grep -rohE '(`|^\$ |^)(kubectl )?handover [a-z|]+' README.md CONTRIBUTING.md docs deploy rollout src --include='*.md' --include='*.yaml' --include='*.json' --include='*.c' --include='*.txt'
      grep -rohE '"[^"]*handover [a-z]+ (%s|NAME|list)' rollout src --include='*.c' | grep -oE 'handover [a-z]+'
      user_commands | sed 's/^/handover /'; } | sed -E 's/.*handover //' | tr '|' '\n' | sort -u)
  [ "$(wc -l <<<"$named")" -gt 10 ] || { echo "FAIL: no commands were found"; exit 1; }
  unknown=$(comm -13 <(printf '%s\nhelp\n' "$there" | sort -u) <(echo "$named"))
  [ -z "$unknown" ] || { echo "FAIL: these are named as commands of handover, and do not exist:" $unknown; grep -rnE "handover ($(echo $unknown | tr ' ' '|'))" README.md docs deploy rollout src | head -20; exit 1; }
  missing=$(comm -23 <(echo "$there") <(sed -n '/^| command/,/^$/p' docs/reference/cli.md | cut -d'|' -f2 | grep -oE '[a-z]+' | sort -u))
  [ -z "$missing" ] || { echo "FAIL: docs/reference/cli.md lacks the commands" $missing; exit 1; }
}

man_pages() { # BUILD
  local build dir c o page rc=0; build=$(realpath "$1"); dir=$(mktemp -d)
  cmake --install "$build" --prefix "$dir/usr" >"$dir/log" 2>&1 || { cat "$dir/log"; echo "FAIL: it cannot be installed"; return 1; }
  for c in $(command_table); do
    [ -s "$dir/usr/share/man/man1/handover-$c.1" ] || { echo "FAIL: no page handover-$c(1)"; rc=1; continue; }
    page=$(sed 's/\\-/-/g' "$dir/usr/share/man/man1/handover-$c.1")
    for o in $("$dir/usr/bin/handover" "$c" --help | grep -oE '^ +(-[^ ],)? *--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
      [[ $page == *"$o"* ]] || { echo "FAIL: handover-$c(1) lacks $o"; rc=1; }
    done
  done
  if command -v groff >/dev/null; then
    groff -man -ww -z -Tutf8 "$dir"/usr/share/man/man1/*.1 2>"$dir/warnings" || true
    [ ! -s "$dir/warnings" ] || { head "$dir/warnings"; echo "FAIL: groff does not like the pages"; rc=1; }
  fi
  [ -s "$dir/usr/share/bash-completion/completions/handover" ] && [ -s "$dir/usr/share/zsh/vendor-completions/_handover" ] && [ -s "$dir/usr/share/fish/vendor_completions.d/handover.fish" ] ||
    { echo "FAIL: completions are not installed"; rc=1; }
  [[ $("$dir/usr/bin/kubectl-handover" version) == "kubectl handover "* ]] || { echo "FAIL: the plugin does not run"; rc=1; }
  [ "$("$dir/usr/bin/kubectl_complete-handover" undo -- | tail -n 1)" = :4 ] || { echo "FAIL: the plugin's completion does not run"; rc=1; }
  rm -rf "$dir"; return $rc
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
  reference) reference; events; rights ;;
  links) links ;;
  commands) commands ;;
  man) man_pages "${2:?the build folder}" ;;
  contributing) contributing "${2:?the build folder}" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
