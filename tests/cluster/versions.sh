# Which Kubernetes the stories run on. The first is the current one: everything is shown on it, and it is one line to change when the
# next is served. The last is the oldest supported one. Sourced.
KUBERNETES_VERSIONS="1.37.2 1.20.2"
ETCD_VERSION=3.6.8 # beside those built from Go modules; 1.20 has Debian's etcd

# kubernetes_version WORD : the whole version of `1.37`, `1.37.2`, `current` or `oldest`
kubernetes_version() {
  local v
  case ${1:-current} in
    current) echo "${KUBERNETES_VERSIONS%% *}"; return ;;
    oldest) echo "${KUBERNETES_VERSIONS##* }"; return ;;
  esac
  for v in $KUBERNETES_VERSIONS; do case $v in "$1" | "$1".*) echo "$v"; return ;; esac; done
  [[ $1 =~ ^1\.[0-9]+\.[0-9]+$ ]] && { echo "$1"; return; } # any other that the module proxy serves
  echo "kubernetes version \"$1\": known are ${KUBERNETES_VERSIONS// /, }, current, oldest; another one is given whole, as 1.36.3" >&2; return 2
}
