#!/usr/bin/env bash
# The programs of a Kubernetes: built once and kept outside the tree.
#   programs.sh VERSION    builds what is missing (`current`, `oldest`, 1.37, 1.36.3); says the folder that has them
# kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, and from 1.21 on kubectl and etcd. 1.20 comes from Debian's source
# package, any other from its Go modules. Environment: HANDOVER_CACHE (where they are kept), KUBEBUILDER_ASSETS (a folder with
# programs: used as it is, nothing is built).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/../../deploy/packages.sh"; . "$here/versions.sh"; . "$here/../go.sh"
CACHE=${HANDOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/handover-kubernetes}
say() { echo "cluster: $*" >&"${said:-2}"; }

need_packages() { # what apt has to bring for the given purpose
  local want log; want=$(packages_missing "$@")
  [ -n "$want" ] || return 0
  say "installing" $want
  log=$(mktemp); packages_install "$log" $want >&2 || { tail -20 "$log" >&2; return 1; }
  rm -f "$log"
}

from_debian() { # INTO
  need_packages golang-go dpkg-dev rsync jq make gcc libc6-dev
  say "building Kubernetes 1.20 from Debian's source package (about 8 minutes on 2 cores)"
  mkdir -p lists/partial
  # the same mirror that apt uses here, with its source index beside the system's own lists
  awk '/^deb / {$1 = "deb-src"; print}' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null >sources.list || true
  [ -s sources.list ] || echo "deb-src $(apt-cache policy base-files | grep -oE 'https?://[^ ]+' | head -1) bookworm main" >sources.list
  local o=(-o "Dir::State::Lists=$PWD/lists" -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root)
  apt-get "${o[@]}" update -qq
  apt-get "${o[@]}" source --download-only -qq kubernetes
  dpkg-source -x kubernetes_*.dsc k8s
  export PATH="/usr/lib/go-1.19/bin:$PATH" GO111MODULE=off GOFLAGS= GOCACHE="$PWD/gocache" GOTOOLCHAIN=local
  export KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_TREE_STATE=clean KUBE_GIT_COMMIT=debian
  make -C k8s WHAT="cmd/kube-apiserver cmd/kube-controller-manager cmd/kube-scheduler cmd/kubelet"
  cp k8s/_output/local/bin/linux/*/kube* "$1"/
}

# go.mod of a build of Kubernetes: what its own go.mod pins, its staging modules in the versions published with it
kubernetes_module() { # VERSION
  local mod; mod=$("$go" mod download -json "k8s.io/kubernetes@v$1" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p') && [ -f "$mod" ] ||
    { say "the module k8s.io/kubernetes v$1 cannot be had"; return 1; }
  { echo "module handover.test/kubernetes"; grep -E '^(go|godebug) ' "$mod"; echo "require k8s.io/kubernetes v$1"; echo "replace ("
    sed -nE "s,^[[:space:]]+(k8s\.io/[a-z-]+) => \./staging.*,\1 => \1 v0.${1#1.},p" "$mod"; echo ")"; } >go.mod
}

from_modules() { # VERSION INTO
  local v=$1 into=$2 go p minor; minor=${v#1.}; minor=${minor%.*}
  find_go 1.26 2>/dev/null || { need_packages golang-go ca-certificates; find_go 1.26; } # Debian's own fetches the newer one
  say "building Kubernetes $v and etcd $ETCD_VERSION from their Go modules (about 12 minutes on 2 cores)"
  export GOFLAGS=-buildvcs=false GO111MODULE=on GOTOOLCHAIN=local CGO_ENABLED=0
  cp -r "$here/programs/." .
  cd kubernetes; kubernetes_module "$v"; "$go" mod tidy
  local version=k8s.io/component-base/version
  "$go" build -p "$(nproc)" -tags grpcnotrace -o "$into/kubernetes" \
    -ldflags "-s -w -X $version.gitVersion=v$v -X $version.gitMajor=1 -X $version.gitMinor=$minor -X $version.gitTreeState=clean" .
  for p in kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl; do ln -s kubernetes "$into/$p"; done
  cd ../etcd; printf 'module handover.test/etcd\n\ngo %s\n\nrequire go.etcd.io/etcd/server/v3 v%s\n' "$("$go" env GOVERSION | sed 's/^go//')" "$ETCD_VERSION" >go.mod
  "$go" mod tidy; "$go" build -ldflags "-s -w" -o "$into/etcd" .
}

# In a process of its own: under `if` or `||` a function goes on after a failure.
build() { # VERSION INTO
  local src; src=$(mktemp -d); trap "rm -rf '$src'" EXIT; cd "$src"
  case $1 in 1.20.*) from_debian "$2" ;; *) from_modules "$1" "$2" ;; esac
}

programs() { # VERSION
  local v dir work; v=$(kubernetes_version "$1") || return
  dir=$CACHE/$v; mkdir -p "$CACHE"
  exec 9>"$CACHE/$v.lock"; flock 9 # another run may be building it
  if [ ! -x "$dir/kube-apiserver" ]; then
    work=$CACHE/$v.new; rm -rf "$work"; mkdir -p "$work"
    said=3 "$BASH" "$0" --build "$v" "$work" 3>&2 >"$work/build.log" 2>&1 9>&- || { tail -30 "$work/build.log" >&2; return 1; }
    rm -rf "$dir"; mv "$work" "$dir"
  fi
  exec 9>&-
  echo "$dir"
}

case $# in
  1) if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then echo "$KUBEBUILDER_ASSETS"; else programs "$1"; fi ;;
  3) [ "$1" = --build ]; build "$2" "$3" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
