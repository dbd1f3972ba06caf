#!/usr/bin/env bash
# Operators by others: built once from their Go modules and kept outside the tree.
#   build.sh NAME    a folder beside this script with a go.mod; says the folder that has the program, `operator`, and with it what of
#                    its module is applied to a cluster (crds/, rbac/)
# Where it cannot be had, the last line on stderr says why. Environment: HANDOVER_CACHE (where they are kept).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/../../go.sh"
CACHE=${HANDOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/handover-kubernetes}

# What it is all about: the first module that its go.mod asks for, and the version.
module_of() { sed -nE 's/^(require )?[[:space:]]*(([a-z0-9-]+\.)+[a-z]+\/[^ ]+) (v[^ ]+)$/\2 \4/p' "$here/$1/go.mod" | head -1; }

build() { # NAME MODULE VERSION INTO
  local dir part
  echo "cluster: building $1 $3 from its Go module (minutes, once)" >&3
  go_program "$here/$1" "$4/operator" || return
  find_go 1.21 || return
  dir=$("$go" mod download -json "$2@$3" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') || return
  for part in crds=example/prometheus-operator-crd rbac=example/rbac/prometheus-operator; do
    [ ! -d "$dir/${part#*=}" ] || { mkdir "$4/${part%%=*}" && cp --no-preserve=mode "$dir/${part#*=}"/*.yaml "$4/${part%%=*}/"; } || return
  done
}

name=${1:-}
[ -n "$name" ] && [ -f "$here/$name/go.mod" ] ||
  { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; echo "operator \"$name\": known are $(cd "$here" && for f in */go.mod; do dirname "$f"; done | xargs)" >&2; exit 2; }
read -r module version <<<"$(module_of "$name")"
into=$CACHE/operators/$name-$version-$(cat "$here/$name"/* | sha256sum | cut -c 1-8) # of what is ours, too
mkdir -p "$CACHE/operators"
exec 9>"$CACHE/operators/$name.lock"; flock 9 # another run may be building it
if [ ! -x "$into/operator" ]; then
  rm -rf "$into.new" "$into"; mkdir "$into.new"
  build "$name" "$module" "$version" "$into.new" 3>&2 9>&-
  mv "$into.new" "$into"
fi
echo "$into"
