#!/usr/bin/env bash
# tests/mutants/run.sh [--part I/N | --part today] [--check] [--list] [NAME...] : applies each mutant of tests/mutants/*.list to a scratch
# copy of the tree, builds and runs the tests that must fail, and reports "killed" or "SURVIVED". Ends non-zero on a survivor,
# and on a mutant that no longer applies or does not compile. The checkout is never touched.
#   --part I/N    every Nth mutant from the Ith on; --part today: a fifth, the next one tomorrow
#   --check       only whether each still applies: nothing is built
#   --list        the names and their rules
#   NAME          only these (shell patterns)
# A mutant is four lines, the first of a list may be comments:
#   name: the rule that it breaks
#     in FOLDER; killed by TEST...        (ctest names, unit/..., at least one of which must fail)
#     - the text that stands there
#     + the text that takes its place
# The old text is matched token by token, whatever the white space, and has to occur exactly once below FOLDER: a moved file or
# another line break leaves a mutant valid.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
part=1/1; list=0; check=0; names=()
while [ $# -gt 0 ]; do
  case $1 in
    --part) part=${2:?--part needs I/N or today}; shift ;;
    --list) list=1 ;;
    --check) check=1 ;;
    -*) sed -n '2,16s/^# \{0,1\}//p' "$0"; [ "$1" = --help ] && exit 0; exit 2 ;;
    *) names+=("$1") ;;
  esac
  shift
done
[ "$part" != today ] || part=$((10#$(date +%j) % 5 + 1))/5
[[ $part =~ ^([1-9][0-9]*)/([1-9][0-9]*)$ && ${BASH_REMATCH[1]} -le ${BASH_REMATCH[2]} ]] || { echo "--part $part: I/N with 1 <= I <= N, or today" >&2; exit 2; }
first=${BASH_REMATCH[1]} step=${BASH_REMATCH[2]}

mutants=() # "name<TAB>rule<TAB>folder<TAB>old<TAB>new<TAB>tests"
for file in "$here"/*.list; do
  while IFS= read -r line; do
    [[ $line == \#* ]] && continue
    IFS= read -r where && IFS= read -r old && IFS= read -r new || true
    [[ $line =~ ^([a-z0-9-]+):\ (.+)$ ]] && name=${BASH_REMATCH[1]} rule=${BASH_REMATCH[2]} &&
      [[ $where =~ ^\ \ in\ ([^;]+)\;\ killed\ by\ (.+)$ && $old == "  - "* && $new == "  +"* ]] ||
      { echo "$file: not a mutant's four lines: $line" >&2; exit 2; }
    mutants+=("$name"$'\t'"$rule"$'\t'"${BASH_REMATCH[1]}"$'\t'"${old#"  - "}"$'\t'"${new#"  +"}"$'\t'"${BASH_REMATCH[2]}")
  done <"$file"
done
wanted() { local p; [ ${#names[@]} -gt 0 ] || return 0; for p in "${names[@]}"; do [[ $1 == $p ]] && return 0; done; return 1; }
chosen=(); n=0
for m in "${mutants[@]}"; do
  wanted "${m%%$'\t'*}" || continue
  [ $((n++ % step)) = $((first - 1)) ] && chosen+=("$m")
done
[ ${#chosen[@]} -gt 0 ] || { echo "no such mutant" >&2; exit 2; }
if [ $list = 1 ]; then for m in "${chosen[@]}"; do cut -f1,2 <<<"$m"; done; exit 0; fi

if [ $check = 1 ]; then tree=$top; else
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/handover-mutants.XXXXXX"); tree=$scratch/tree; build=$tree/build
  trap 'rm -rf "$scratch"' EXIT
  mkdir "$tree"
  tar -C "$top" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$tree" -xf -
fi
export CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1
# For the assertions of the tests alone: neither optimized nor sanitized, which builds in a fraction of the time.
configure() {
  local launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
  cmake -S "$tree" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug "${launcher[@]+"${launcher[@]}"}" >"$scratch/log" 2>&1
}
compile() { ninja -C "$build" $(tr ' /' '\n_' <<<"$1" | sort -u) >"$scratch/log" 2>&1; }
run() { # 0: all pass
  local re; re=$(tr -s ' ' '|' <<<"$1")
  (cd "$build" && ctest -j "$(nproc)" --output-on-failure --timeout 120 --stop-on-failure -R "^($re)\$") >"$scratch/log" 2>&1 && grep -q 'tests passed' "$scratch/log"
}
# apply FOLDER OLD NEW: prints the changed file, or why none was changed; with --check nothing is written
apply() {
  OLD=$2 NEW=$3 CHECK=$check perl -0777 -e '
    my ($re, $last, $hits, $file, $text) = ("", "", 0);
    for ($ENV{OLD} =~ /\w+|"(?:[^"\\]|\\.)*"|[^\w\s]/g) {
      $re .= ($last =~ /\w$/ && /^\w/ ? "\\s+" : "\\s*") . quotemeta; $last = $_;
    }
    $re =~ s/^\\s\*(?=\w)/\\b/ or $re =~ s/^\\s\*//;
    for my $f (@ARGV) {
      open my $h, "<", $f or die; my $c = <$h>; my $k = () = $c =~ /$re/g;
      ($file, $text) = ($f, $c) if $k; $hits += $k;
    }
    $hits == 1 or do { print "found $hits times"; exit 1 };
    print $file; exit 0 if $ENV{CHECK};
    $text =~ s/$re/$ENV{NEW}/; open my $h, ">", $file or die; print $h $text;
  ' $(find "$tree/$1" -name '*.[ch]' | sort)
}

if [ $check = 0 ]; then
  all=$(for m in "${chosen[@]}"; do cut -f6 <<<"$m"; done | tr ' ' '\n' | sort -u | xargs)
  configure || { cat "$scratch/log"; exit 1; }
  compile "$all" || { grep -vE '^\[' "$scratch/log" | head -40; echo "the tests do not build as they are"; exit 1; }
  run "$all" || { tail -40 "$scratch/log"; echo "the tests fail as they are"; exit 1; }
fi
good=0 bad=() what=killed; [ $check = 0 ] || what=applies
for m in "${chosen[@]}"; do
  IFS=$'\t' read -r name rule folder old new tests <<<"${m//$'\t\t'/$'\t \t'}"
  began=$SECONDS
  if ! file=$(apply "$folder" "$old" "$new"); then verdict="DOES NOT APPLY ($file in $folder)"
  else
    if [ $check = 1 ]; then verdict=applies
    elif ! compile "$tests"; then verdict="DOES NOT COMPILE: $(grep -m1 -E 'error:' "$scratch/log" | sed "s|^.*$tree/||")"
    elif run "$tests"; then verdict=SURVIVED
    else verdict=killed; fi
    [ $check = 1 ] || cp "$top/${file#"$tree/"}" "$file"
  fi
  if [ "$verdict" = $what ]; then good=$((good + 1)); else bad+=("$name: $verdict: $rule"); fi
  [ $check = 1 ] || printf '%-9s %-44s %2d s  %s\n' "${verdict%%[:(]*}" "$name" $((SECONDS - began)) "$tests"
done
[ ${#bad[@]} = 0 ] || printf '%s\n' "${bad[@]}"
echo "$good of ${#chosen[@]} mutants: $what"
[ ${#bad[@]} = 0 ]
