#!/usr/bin/env bash
# tests/run.sh [--cluster] [--clang] [--tidy] [--filter RE] : installs what is missing, builds with sanitizers and -Werror,
# runs every test. Ends non-zero on any failure; the last line is "N passed, N failed".
#   --cluster     then the stories of tests/cluster on a real Kubernetes, the current one; --cluster=1.20,1.37: on each of these
#                 (its programs are built beside the C tests, once, and kept in ~/.cache)
#   --clang       also builds with clang, which warns about other things
#   --tidy        also checks the layout of every C file and runs clang-tidy over the sources (those that changed, a fifth of the others)
#   --mutants P   then the mutants of tests/mutants: P is all, today (a fifth of them, the next tomorrow) or I/N
#   --filter RE   only the tests whose names match RE (`unit/kube`, `sim/demo$`), and builds only what these need
#   --list        the names of the tests that --filter would run
# With CI=true: --clang and --tidy. BUILD=DIR: another build folder than build/.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd); cd "$top"
build=${BUILD:-$top/build}; clang_build=$build-clang
. "$top/deploy/packages.sh"
cluster=; clang=0; tidy=0; list=0; filter='' mutants=''
[ "${CI:-}" = true ] && clang=1 tidy=1
while [ $# -gt 0 ]; do
  case $1 in
    --cluster) cluster=current ;;
    --cluster=*) cluster=${1#*=}; cluster=${cluster//,/ } ;;
    --clang) clang=1 ;;
    --tidy) tidy=1 ;;
    --mutants) mutants=${2:?--mutants needs all, today or I/N}; shift ;;
    --filter) filter=${2:?--filter needs a regular expression}; shift ;;
    --list) list=1 ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "unknown argument: $1" >&2; sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
jobs=$(nproc); passed=0; failed=0; skips=() seconds=() targets=()
step() { printf '\n== %s\n' "$*"; }
ok() { echo "ok: $*"; passed=$((passed + 1)); }
bad() { echo "FAILED: $*"; failed=$((failed + 1)); }
skip() { skips+=("$*"); }
finish() {
  local s; for s in "${skips[@]+"${skips[@]}"}"; do echo "skipped: $s"; done
  for s in "${seconds[@]+"${seconds[@]}"}"; do echo "passed only when it was tried again: $s"; done
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]; exit
}

# What the build needs, what the tests use where it is there (valgrind, spin), and what the clang steps need.
needs="$packages_build libcmocka-dev"
likes="dpkg-dev spin tmux valgrind prometheus dbus-daemon openssl ca-certificates curl jq iproute2 lld chromium python3"
[ $((clang + tidy)) -gt 0 ] && needs="$needs clang-14"
[ $tidy = 1 ] && needs="$needs clang-tidy-14 clang-format-14"
likes="$likes $(packages_kubectl) qemu-user-static"
case $(dpkg --print-architecture 2>/dev/null) in amd64) likes="$likes gcc-aarch64-linux-gnu" ;; arm64) likes="$likes gcc-x86-64-linux-gnu" ;; esac
install() {
  command -v dpkg-query >/dev/null || { echo "not Debian: what is missing will show when configuring"; return 0; }
  local missing; missing=$(packages_missing $needs $likes)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    missing=$(packages_missing $needs)
    [ -z "$missing" ] || { bad "missing, and only root can install them:" $missing; finish; }
    skip "tests with $(packages_missing $likes | xargs): not installed, and not root"
    return 0
  fi
  step "installing" $missing
  local log=${TMPDIR:-/tmp}/handover-apt.log
  packages_install "$log" $missing || { tail -20 "$log"; bad "apt-get"; finish; }
}

# The embedded API server is for kubectls of several ages: Debian's is unpacked beside the build where another one is installed.
kubectls() {
  local to; to=$(realpath -m "$build")/kubectl-debian
  [[ $(kubectl version --client 2>/dev/null) =~ v1\.(2[1-9]|[3-9][0-9]) ]] || { skip "sim/kubectl with a kubectl newer than 1.20: there is none here"; return 0; }
  [ -x "$to/usr/bin/kubectl" ] || { mkdir -p "$to" && (cd "$to" && apt-get download -qq kubernetes-client && dpkg -x ./*.deb . && rm ./*.deb); } >"$build/kubectl-debian.log" 2>&1 ||
    { skip "sim/kubectl with Debian's kubectl: it could not be had, see $build/kubectl-debian.log"; return 0; }
  export HANDOVER_KUBECTLS="${HANDOVER_KUBECTLS:-} $to/usr/bin/kubectl"
}

# configure DIR ARGS... ; compile DIR [TARGET...]: quiet unless something is wrong
configure() {
  local dir=$1; shift
  local launcher=(); command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
  mkdir -p "$dir"
  cmake -S "$top" -B "$dir" -G Ninja -DHANDOVER_WERROR=ON "${launcher[@]+"${launcher[@]}"}" "$@" >"$dir/configure.log" 2>&1 ||
    { cat "$dir/configure.log"; return 1; }
}
compile() { # one of ninja's lines in a hundred shows how far it is
  local dir=$1; shift
  ninja -C "$dir" -k 0 "$@" 2>&1 | tee "$dir/build.log" | awk -F '[][/]' '/^\[[0-9]+\/[0-9]+\]/ && $2 && $2 % 100 == 0 {print "  built " $2 " of " $3; fflush()}' ||
    { grep -vE '^\[|^ninja: Entering' "$dir/build.log" | head -200; return 1; }
}

run_ctest() {
  local log=$build/ctest.log rc=0 args=(--output-on-failure -j "$((jobs + 1))") # stories wait more than they work
  [ -n "$filter" ] && args+=(-R "$filter")
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
  (cd "$build" && ctest "${args[@]}") 2>&1 | tee "$log" | grep --line-buffered -vE '^ +Start +[0-9]+:|^Test project' || rc=${PIPESTATUS[0]}
  local line; line=$(grep -E 'tests passed, [0-9]+ tests failed out of' "$log" | tail -1) || true
  if [[ $line =~ ([0-9]+)\ tests\ failed\ out\ of\ ([0-9]+) ]]; then
    local skipped; skipped=$(grep -cE '\*\*\*Skipped' "$log") || true
    failed=$((failed + BASH_REMATCH[1])); passed=$((passed + BASH_REMATCH[2] - BASH_REMATCH[1] - skipped))
    while read -r line; do skip "$line: its requirements are not met, see $log"; done < <(grep -oE 'Test +#[0-9]+: .*\*\*\*Skipped' "$log" | sed -E 's/Test +#[0-9]+: ([^ ]+).*/\1/')
    [ "$rc" = 0 ] || [ "${BASH_REMATCH[1]}" != 0 ] || bad "ctest ended with $rc"
  else
    bad "ctest: no test ran"
  fi
}

# Every C file that git tracks, or, in a copy without git, every one there is.
c_files() { git ls-files -z '*.c' '*.h' 2>/dev/null || find src leader rollout tests deploy -name '*.[ch]' -print0; }
check_layout() {
  local log=$build/format.log rc=0
  c_files | xargs -0 -P "$jobs" -n 32 clang-format-14 --dry-run --Werror >"$log" 2>&1 || rc=$?
  sed -n "s|^\($top/\)\{0,1\}\([^:]*\):[0-9].*|\2|p" "$log" | sort -u | sed 's|.*|&: not as "clang-format-14 -i &" lays it out|'
  return $rc
}

# clang-tidy reads how clang compiled; gcc's options are not all known to it. Nearly all of its time is the analyzer's.
# So: the files that differ from the release before, and of the others a fifth, the next one tomorrow; without git all of them.
tidy_files() {
  local all changed='' commit; commit=$(grep -v '^#' tests/previous)
  all=$(sed -n 's/^ *"file": "\(.*\)".*/\1/p' "$clang_build/compile_commands.json" | grep -E "^$top/(src|leader|rollout)/" | sort -u)
  git cat-file -e "$commit^{commit}" 2>/dev/null || { echo "$all"; return; }
  changed=$(git diff --name-only "$commit" -- src leader rollout | sed "s|^|$top/|")
  { grep -Fx "$changed" <<<"$all"; awk -v day="$((10#$(date +%j) % 5))" 'NR % 5 == day' <<<"$all"; } | sort -u
}
run_tidy() {
  local log=$clang_build/tidy.log rc=0
  tidy_files |
    xargs -P "$jobs" -n 4 clang-tidy-14 -p "$clang_build" --quiet >"$log" 2>&1 || rc=$?
  [ $rc = 0 ] || { grep -E '^[^ ].*(error|warning):' "$log" || tail -n 5 "$log"; } | sed "s|$top/||" | sort -u
  return $rc
}

# Stories on one version, on a cluster of its own. What they say is shown; count_cluster adds the counts up.
run_cluster() { # VERSION STORIES
  local name=$1-${2//\//-of-} rc=0
  CLUSTER_VERSION=$1 STORIES=$2 CLUSTER_DIR=/tmp/handover-cluster-$name CLUSTER_NS=handover-$name tests/cluster/run.sh 2>&1 |
    tee "$build/cluster-$name.log" | grep --line-buffered -vE '^[0-9]+ passed, [0-9]+ failed$' || rc=${PIPESTATUS[0]}
  echo $rc >"$build/cluster-$name.rc"
}
count_cluster() { # VERSION STORIES
  local log=$build/cluster-$1-${2//\//-of-}.log rc line
  rc=$(cat "${log%.log}.rc") || rc=1
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -1) || true
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])); failed=$((failed + BASH_REMATCH[2]))
    [ "$((BASH_REMATCH[1] + BASH_REMATCH[2]))" != 0 ] || bad "tests/cluster on $1: no story ran"
    while read -r line; do skip "tests/cluster on $1: $line"; done < <(sed -n 's/^skip //p' "$log")
    while read -r line; do seconds+=("tests/cluster on $1: $line"); done < <(sed -n 's/^cluster: flaky, passed only at a second run: //p' "$log")
    [ "$rc" = 0 ] || [ "${BASH_REMATCH[2]}" != 0 ] || bad "tests/cluster/run.sh on $1 ended with $rc"
  else
    bad "tests/cluster/run.sh on $1 ended with $rc before its stories"
  fi
}
# The release before, from its commit: a release build, kept beside the others.
run_previous() {
  local commit dir=$build-previous rc=0; commit=$(grep -v '^#' tests/previous)
  git cat-file -e "$commit^{commit}" 2>/dev/null || { skip "tests/sim/previous.sh: this copy has not the commit $commit"; return; }
  if [ ! -x "$dir/$commit/handover" ]; then
    rm -rf "$dir"; mkdir -p "$dir/src"; git archive "$commit" | tar -x -C "$dir/src"
    { cmake -S "$dir/src" -B "$dir/$commit" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHANDOVER_TESTS=OFF && ninja -C "$dir/$commit" handover; } >"$dir/build.log" 2>&1 ||
      { tail -20 "$dir/build.log"; bad "building the release before"; return; }
  fi
  HANDOVER=$build/handover bash tests/sim/previous.sh "$dir/$commit/handover" >"$dir/story.log" 2>&1 || rc=$?
  if [ $rc = 0 ]; then ok "the release before and this one take over from each other"; else cat "$dir/story.log"; bad "tests/sim/previous.sh"; fi
}
# What Debian has no clients for: kubectl of the current Kubernetes, and Go's libraries, on the embedded API server.
run_clients() {
  local name rc kubectl; kubectl=$(tests/cluster/programs.sh current)/kubectl
  for name in kubectl clients; do
    if [ $name = kubectl ] && [ ! -x "$kubectl" ]; then skip "sim/kubectl with the current one: there is none"; continue; fi
    rc=0; KUBECTLS_ONLY=$kubectl tests/sim/$name.sh "$build/handover" sim --listen 127.0.0.1:0 >"$build/$name.log" 2>&1 || rc=$?
    case $rc in
      0) ok "tests/sim/$name.sh with what is current" ;;
      77) skip "tests/sim/$name.sh: $(tail -n 1 "$build/$name.log")" ;;
      *) cat "$build/$name.log"; bad "tests/sim/$name.sh with what is current" ;;
    esac
  done
}
stories_to_run() { [ -n "${LONG:-}" ] && ls tests/cluster/stories/*.sh || grep -LE '^# tags:.* long( |$)' tests/cluster/stories/*.sh; }
# Building Kubernetes takes longer than anything else here and needs nothing of ours: it begins at once.
programs_pid=
start_programs() {
  ( for v in $cluster; do tests/cluster/programs.sh "$v" || exit; done
    tests/sim/clients.sh --build || true
    stories_to_run | xargs sed -n 's/^# operator: //p' | sort -u | while read -r o; do tests/cluster/operators/build.sh "$o" || true; done ) >"$build/programs.log" 2>&1 & programs_pid=$!
}
wait_for_programs() {
  step "waiting for the Kubernetes programs ($((SECONDS / 60)) min so far)"
  if wait "$programs_pid"; then ok "programs of Kubernetes $cluster"; else cat "$build/programs.log"; bad "the Kubernetes programs could not be built"; return 1; fi
}

install
configure "$build" -DHANDOVER_SANITIZE=ON || { bad "configuring"; finish; }
if [ $list = 1 ]; then (cd "$build" && ctest -N ${filter:+-R "$filter"} | sed -nE 's/^ +Test +#[0-9]+: //p'); exit 0; fi
[ -z "$cluster" ] || start_programs
[ -z "$filter" ] || mapfile -t targets < <(tests/targets.sh "$build" "$filter")
if [ -z "$filter" ] || [ ${#targets[@]} -gt 0 ]; then
  step "building${filter:+ what the tests need,} with gcc, AddressSanitizer and UndefinedBehaviorSanitizer"
  if compile "$build" "${targets[@]+"${targets[@]}"}"; then ok "gcc build without warnings"; else bad "gcc build"; finish; fi
fi
step "testing"
[ -n "$filter" ] && ! [[ sim/kubectl =~ $filter ]] || kubectls
run_ctest

if [ $clang = 1 ] || [ $tidy = 1 ]; then
  step "building with clang" # for its warnings: without optimizing, which takes half of the time
  if configure "$clang_build" -DCMAKE_C_COMPILER=clang-14 -DCMAKE_BUILD_TYPE=Debug && compile "$clang_build"; then ok "clang build without warnings"; else bad "clang build"; fi
else
  skip "the build with clang (--clang, or CI=true)"
fi
if [ $tidy = 1 ]; then
  step "the layout of every C file, by clang-format"
  if check_layout; then ok "layout"; else bad "layout"; fi
  step "clang-tidy"
  if run_tidy; then ok "clang-tidy"; else bad "clang-tidy"; fi
else
  skip "layout and clang-tidy (--tidy, or CI=true)"
fi
if [ -z "$filter" ]; then
  step "the release before ($((SECONDS / 60)) min so far)"
  run_previous
fi
if [ -n "$mutants" ]; then
  step "mutants of the safety rules, of which each must fail a test"
  if tests/mutants/run.sh --part "${mutants/all/1\/1}" | tee "$build/mutants.log"; then ok "mutants"; else bad "mutants"; fi
else
  skip "the mutants of the safety rules (--mutants all)"
fi
if [ -z "$cluster" ]; then
  skip "the stories on a real Kubernetes (--cluster)"
elif wait_for_programs; then
  step "clients of this year on the embedded API server"
  run_clients
  # Those that replace Handover itself run one after the other and wait most of the time: on several clusters at once.
  first=${cluster%% *} parts=()
  for v in $cluster; do [ "$v" = "$first" ] && parts+=("$v solo-1/2" "$v solo-2/2") || parts+=("$v all"); done
  if [ -n "${KUBECONFIG:-}" ]; then # that one cluster
    step "stories on the cluster of KUBECONFIG ($((SECONDS / 60)) min so far)"
    run_cluster "$first" all; count_cluster "$first" all
  else
    step "stories on a real Kubernetes: $first ($((SECONDS / 60)) min so far)"
    run_cluster "$first" beside; count_cluster "$first" beside
    step "the others, on clusters of their own: ${parts[*]} ($((SECONDS / 60)) min so far)"
    for p in "${parts[@]}"; do JOBS=1 run_cluster $p & done
    wait
    for p in "${parts[@]}"; do count_cluster $p; done
  fi
fi
echo
finish
