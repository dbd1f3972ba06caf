#!/usr/bin/env bash
# What tests/run.sh rests on. tests/targets.sh: the targets of tests. deploy/packages.sh, with an apt-get that plays another
# installation: its locks are waited for, any other failure is final. test_run.sh BUILD
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd); dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir"/*.log 2>/dev/null; exit 1; }
cat >"$dir/apt-get" <<'END'
#!/bin/sh
n=$(($(cat "$DIR/calls" 2>/dev/null || echo 0) + 1)); echo $n >"$DIR/calls"; echo "$*" >>"$DIR/args"
line=$(sed -n "${n}p" "$DIR/script"); [ -z "$line" ] || { echo "E: $line" >&2; exit 100; }
END
printf '#!/bin/sh\ncase $3 in there) echo installed ;; removed) echo config-files ;; *) exit 1 ;; esac\n' >"$dir/dpkg-query"
chmod +x "$dir/apt-get" "$dir/dpkg-query"
build=$1
targets_are() { local got; got=$("$top/tests/targets.sh" "$build" "$1" | xargs); [ "$got" = "$2" ] || fail "targets of $1: $got, not $2"; }
targets_are '^unit/cli/args$' 'handover handover-sim tests/unit/unit_cli_args'
targets_are '^sim/signals$' 'handover handover-sim tests/host/logind tests/host/manager'
targets_are '^sim/demo$' 'handover handover-sim'
targets_are '^unit/base/buf$' tests/unit/unit_base_buf
targets_are '^docs/reference$' ''
targets_are '^no such test$' ''

export DIR=$dir PATH=$dir:$PATH PACKAGES_PAUSE_S=0
. "$top/deploy/packages.sh"
play() { rm -f "$dir/calls" "$dir/args"; printf '%s\n' "$@" >"$dir/script"; packages_install "$dir/apt.log" one two 2>"$dir/said.log"; }

[ "$(packages_missing there removed absent | xargs)" = "removed absent" ] || fail "missing: $(packages_missing there removed absent | xargs)"
play '' '' || fail "it installs"
grep -q -- '-o DPkg::Lock::Timeout=600 install -y .* one two' "$dir/args" || fail "how it installs: $(cat "$dir/args")"
[ ! -s "$dir/said.log" ] || fail "it says something without a reason"
play 'Could not get lock /var/lib/apt/lists/lock. It is held by process 7' '' 'Unable to lock the download directory' '' '' || fail "locks are waited for"
[ "$(cat "$dir/calls")" = 5 ] && [ "$(grep -c waiting "$dir/said.log")" = 1 ] || fail "asked $(cat "$dir/calls") times"
! play '' 'Unable to locate package two' || fail "a package that does not exist is no success"
[ "$(cat "$dir/calls")" = 2 ] || fail "tried again although nothing was locked"
PACKAGES_WAIT_S=0; ! play 'Could not get lock x' || fail "it waits for ever"

mkdir "$dir/bin"; printf '#!/bin/sh\n' >"$dir/bin/kubectl"; chmod +x "$dir/bin/kubectl"
[ -z "$(PATH=$dir/bin packages_kubectl)" ] || fail "a kubectl from elsewhere is left alone"
[ -e /usr/bin/kubectl ] || [ "$(PATH=$dir packages_kubectl)" = kubernetes-client ] || fail "kubectl comes from its package"
[ ! -e /usr/bin/kubectl ] || [ -z "$(PATH=$dir packages_kubectl)" ] || fail "/usr/bin/kubectl is not written over"
