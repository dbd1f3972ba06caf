# kubectl for stories that poll: a start of it costs 0.16 s of CPU time, and stories that wait ask ten times a second. Sourced by lib.sh.
# What is asked most (`get` of what PLURAL lists, as JSON or by a simple path) is a curl through run.sh's `kubectl proxy`, whose socket is
# API_SOCKET; all else, and everything where there is no such socket, is kubectl itself.

declare -A PLURAL=(
  [deployment]=apis/apps/v1:deployments [deployments]=apis/apps/v1:deployments [deploy]=apis/apps/v1:deployments
  [rs]=apis/apps/v1:replicasets [replicaset]=apis/apps/v1:replicasets [statefulset]=apis/apps/v1:statefulsets
  [pod]=api/v1:pods [pods]=api/v1:pods [configmap]=api/v1:configmaps [configmaps]=api/v1:configmaps [events]=api/v1:events
  [lease]=apis/coordination.k8s.io/v1:leases [leases]=apis/coordination.k8s.io/v1:leases)

# asked NAMESPACE ARGUMENTS OF KUBECTL : the words of a curl for them into CURL, a path for jq into PATH_IN_IT; false: that is kubectl's
asked() {
  local ns=$1 kind= name= path; shift; CURL=() PATH_IN_IT=
  [ -S "${API_SOCKET:-}" ] && [ "${1:-}" = get ] || return 1; shift
  while [ $# -gt 0 ]; do
    case $1 in
      -o) shift; case ${1:-} in json) path=json ;; jsonpath=*) path=${1#jsonpath=} ;; *) return 1 ;; esac ;;
      -l) shift; CURL+=(--data-urlencode "labelSelector=$1") ;;
      --field-selector) shift; CURL+=(--data-urlencode "fieldSelector=$1") ;;
      -* | *,*) return 1 ;;
      */*) [ -z "$kind" ] || return 1; kind=${1%%/*} name=${1#*/} ;;
      *) if [ -z "$kind" ]; then kind=$1; elif [ -z "$name" ]; then name=$1; else return 1; fi ;;
    esac
    shift
  done
  kind=${PLURAL[$kind]:-}; [ -n "$kind" ] || return 1
  case ${path:-} in
    json) ;;
    *) [[ ${path:-} =~ ^\{((\.[A-Za-z]+|\[[0-9]+\])+)\}$ ]] || return 1; PATH_IN_IT=${BASH_REMATCH[1]} ;;
  esac
  # Not by its own name: for a curl the API server indents its JSON, and one of 1.20, built by Debian's Go, dies of that.
  CURL=(-sSfG -m 20 -A kubectl --unix-socket "$API_SOCKET" "${CURL[@]}" "http://localhost/${kind%:*}/namespaces/$ns/${kind#*:}${name:+/$name}")
}
kubectl_in() { # NAMESPACE ARGUMENTS...
  local CURL PATH_IN_IT text
  if ! asked "$@"; then in_cluster kubectl -n "$@"; return; fi
  if [ -z "$PATH_IN_IT" ]; then curl "${CURL[@]}"; return; fi
  text=$(curl "${CURL[@]}") || return
  jq -rc "$PATH_IN_IT | values" <<<"$text"
}
