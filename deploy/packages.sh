# Debian's packages for a build, and how they are installed; for deploy/demo.sh, tests/run.sh and tests/cluster/cluster.sh to source.
packages_build="gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libcurl4-openssl-dev libcjson-dev libsystemd-dev libyaml-dev libssl-dev
  libhttp-parser-dev uthash-dev zlib1g-dev"

packages_missing() { # PACKAGE... : those that are not installed, one a line
  local p; for p in "$@"; do [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"; done
}

# The package that has kubectl, unless there is one from elsewhere: two packages with /usr/bin/kubectl do not install beside each other.
packages_kubectl() { command -v kubectl >/dev/null || [ -e /usr/bin/kubectl ] || echo kubernetes-client; }

# packages_install LOG PACKAGE... : only root can. Another installation is waited for, up to ten minutes: apt-get waits for dpkg's
# lock by itself and fails at once on its own two. What apt-get says is in LOG.
packages_install() {
  local log=$1 end=$((SECONDS + ${PACKAGES_WAIT_S:-600})) told=; shift
  export DEBIAN_FRONTEND=noninteractive
  until { apt-get update -qq && apt-get -o DPkg::Lock::Timeout="${PACKAGES_WAIT_S:-600}" install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1; do
    grep -qE 'Could not get lock|Unable to (acquire|lock)' "$log" || return 1
    [ $SECONDS -lt $end ] || return 1
    [ -n "$told" ] || echo "waiting for another installation: $(grep -m1 -E 'Could not get lock|Unable to' "$log")" >&2
    told=1; sleep "${PACKAGES_PAUSE_S:-2}"
  done
}
