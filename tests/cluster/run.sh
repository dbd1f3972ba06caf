#!/usr/bin/env bash
# run.sh [STORY...] : the stories of tests/cluster/stories on a real Kubernetes, Handover running in it from its own image.
#   CLUSTER_VERSION: which one (current; oldest, 1.36.3, ...). Other than on the current one, without names: the stories tagged `oldest`.
#   KUBEBUILDER_ASSETS: a folder with the programs. Where it has no kubelet, as envtest's, only the stories tagged `api` run.
#   KUBECONFIG set: that cluster is used; then HANDOVER_IMAGE and OPERATOR_IMAGE say where it finds the images.
#   A story that cannot run here ends with 77 and the reason; it counts neither way. If none could run, that is a failure.
#   A story that passes only at its second run is called flaky; more than two of these fail the run.
#   Without names, the stories tagged `long` (operators by others) run with LONG=1 only.
#   A story has 480 s, or what a line `# seconds: N` in its head says; STORY_SECONDS overrides both.
#   STORIES without names: all; beside: those that run beside each other; solo-I/N: every Nth of the others from the Ith on.
#   KEEP=1 leaves the cluster up. JOBS=N stories at once (3).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd); cd "$here"
export CLUSTER_DIR=${CLUSTER_DIR:-/tmp/handover-cluster} CLUSTER_NS=${CLUSTER_NS:-handover}
out=$(mktemp -d)
log() { echo "cluster: $*"; }

own= told=
proxy=
finish() { # whatever ends this, the last line says how many
  [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true
  [ -z "$own" ] || [ -n "${KEEP:-}" ] || ./cluster.sh down || log "the cluster could not be taken down"
  rm -rf "$out"
  [ -n "$told" ] || { log "it ended before its stories did"; told="0 passed, 1 failed"; }
  echo "$told"
}
trap finish EXIT
if [ "$(id -u)" != 0 ] && [ -z "${KUBECONFIG:-}" ]; then log "a cluster of our own needs root"; exit 1; fi
if [ -n "${KUBECONFIG:-}" ] && [ -z "${HANDOVER_IMAGE:-}" ]; then
  log "KUBECONFIG is set: HANDOVER_IMAGE and OPERATOR_IMAGE (with tags v1 v2 v3 bad crash garbage) must say which images that cluster can pull"; exit 2
fi
tagged() { grep -qE "^# tags:.* $1( |$)" "stories/$2.sh" 2>/dev/null; } # TAG STORY
seconds_of() { local s; s=$(sed -n 's/^# seconds: //p' "stories/$1.sh" 2>/dev/null); echo "${STORY_SECONDS:-${s:-480}}"; } # STORY
. ./versions.sh
version=${CLUSTER_VERSION:-current}
current=$(kubernetes_version current) && version=$(kubernetes_version "$version")
if [ -z "${KUBECONFIG:-}" ]; then
  # one that an earlier run kept is used again if it still answers
  if [ -d "$CLUSTER_DIR/pki" ] && ! nsenter --net="/run/netns/$CLUSTER_NS" kubectl --kubeconfig="$CLUSTER_DIR/pki/admin.kubeconfig" get --raw /readyz >/dev/null 2>&1; then
    ./cluster.sh down
  fi
  # a half of one that would not come up is taken down too, but never the network of somebody else's
  { [ -d "$CLUSTER_DIR/pki" ] || [ ! -e "/run/netns/$CLUSTER_NS" ]; } && own=1
  [ -d "$CLUSTER_DIR/pki" ] || ./cluster.sh up
  own=1
  eval "$(./cluster.sh env)"
else
  in_cluster() { "$@"; }
fi
export -f in_cluster

images() { # the program under test, and operators that behave in various ways
  log "building the images"
  local root=$out/handover; "$top/deploy/image/build.sh" "$root"
  ./cluster.sh load localhost/handover:test "$root" /usr/bin/handover
  export OWN_CLUSTER=1
  gcc -static -O2 -o "$out/operator" operators/plain/operator.c -lm
  operator() { # TAG CONF...
    local tag=$1 d=$out/op-$1; shift; mkdir -p "$d"; cp "$out/operator" "$d/operator"
    printf '%s\n' "image=$tag" "$@" >"$d/operator.conf"; chmod 644 "$d/operator.conf"
    ./cluster.sh load "localhost/operator:$tag" "$d" /operator
  }
  export OPERATOR_FILES=$out
  operator v1; operator v2; operator v3; operator bad error-rate=0.5; operator late error-rate=0.6 errors-after=4
  operator crash crash-after=1; operator garbage metrics=garbage; operator silent metrics=silent; operator hang hang-at=12
  local ten=(controllers=10 last-share=0.02 rate=100)
  operator ten1 "${ten[@]}"; operator ten2 "${ten[@]}"; operator ten-bad "${ten[@]}" bad-controller=10 error-rate=1
}
export HANDOVER_BIN=${HANDOVER_BUILD:-$top/build-release}/handover
without_node= # a control plane alone runs no image
if [ -n "$own" ] && [ -z "$CLUSTER_NODES" ]; then
  without_node=1; export OWN_CLUSTER=1
  [ -x "$HANDOVER_BIN" ] || "$top/deploy/image/build.sh" "$out/handover" >/dev/null
else
  [ -n "${HANDOVER_IMAGE:-}" ] || images
fi

export TOP=$top API_SOCKET=$out/api.sock
. ./lib.sh
in_it=(); [ -z "$own" ] || in_it=(nsenter "--net=/run/netns/$CLUSTER_NS")
"${in_it[@]}" kubectl proxy --unix-socket="$API_SOCKET" >"$out/proxy.log" 2>&1 & proxy=$! # of the program itself, not of a shell
disown "$proxy" # no job that a `wait` waits for
[ -n "$without_node" ] || deploy_handover

one() { # STORY : in a namespace of its own
  local story=$1 t0=$SECONDS rc=0
  if [ -n "$without_node" ] && ! tagged api "$story"; then
    echo "skip $story: there is no kubelet here"; echo 77 >"$out/$story.rc"; return
  fi
  export NS="story-${story//_/-}-$RANDOM" story # an earlier one of this story may be on its way out
  in_cluster kubectl create namespace "$NS" >/dev/null
  timeout "$(seconds_of "$story")" bash -euo pipefail -c '. ./lib.sh; . "./stories/$story.sh"' >"$out/$story.log" 2>&1 || rc=$?
  case $rc in
    0) echo "ok   $story ($((SECONDS - t0)) s)"; grep '^  ' "$out/$story.log" | sed 's/^/   /' || true ;;
    77) echo "skip $story: $(tail -n 1 "$out/$story.log")" ;;
    *) echo "FAIL $story ($((SECONDS - t0)) s)"; sed 's/^/     /' "$out/$story.log" ;;
  esac
  echo $rc >"$out/$story.rc"
  in_cluster kubectl delete namespace "$NS" --wait=false >/dev/null 2>&1 || true
}
stories=("$@")
if [ ${#stories[@]} = 0 ]; then
  for s in $(cd stories && ls *.sh | sed 's/\.sh$//' | sort); do
    [ -z "$own" ] || [ -n "${KUBEBUILDER_ASSETS:-}" ] || [ "$version" = "$current" ] || tagged oldest "$s" || continue
    if tagged long "$s" && [ -z "${LONG:-}" ]; then
      case ${STORIES:-all} in all | beside) echo "skip $s: it takes minutes: name it, or LONG=1" ;; esac
      continue
    fi
    stories+=("$s")
  done
fi
[[ ${STORIES:=all} =~ ^(all|beside|solo-([1-9])/([1-9]))$ ]] || { log "STORIES=$STORIES: all, beside or solo-I/N"; exit 2; }
if [ $# = 0 ] && [ "$STORIES" != all ]; then
  chosen=() n=0
  for s in "${stories[@]}"; do
    case $STORIES,$s in
      beside,solo_*) ;;
      beside,*) chosen+=("$s") ;;
      solo-*,solo_*) [ $((n++ % BASH_REMATCH[3])) != $((BASH_REMATCH[2] - 1)) ] || chosen+=("$s") ;;
    esac
  done
  stories=("${chosen[@]}")
fi
# Operators that take minutes to build, once; a story whose operator cannot be had says why.
for o in $(sed -n 's/^# operator: //p' $(printf 'stories/%s.sh ' "${stories[@]}") 2>/dev/null | sort -u); do operators/build.sh "$o" >/dev/null || true; done
# Stories whose name begins with solo_ replace or restrict Handover itself, or compare all of etcd: they run alone, last.
for s in "${stories[@]}"; do case $s in solo_*) ;; *)
  while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-3}" ]; do wait -n || true; done
  one "$s" & esac; done
wait
for s in "${stories[@]}"; do case $s in solo_*) one "$s" ;; esac; done

# Once more and alone, what failed beside others on a busy machine; said, and counted.
flaky=()
for s in "${stories[@]}"; do
  case $(cat "$out/$s.rc" 2>/dev/null) in 0 | 77) continue ;; esac
  log "$s again, alone"
  one "$s"
  [ "$(cat "$out/$s.rc" 2>/dev/null)" != 0 ] || flaky+=("$s")
done
passed=0 failed=0
for s in "${stories[@]}"; do
  case $(cat "$out/$s.rc" 2>/dev/null) in 0) passed=$((passed + 1)) ;; 77) ;; *) failed=$((failed + 1)) ;; esac
done
if [ $failed -gt 0 ]; then
  log "Handover's own logs:"
  in_cluster kubectl -n handover-system logs -l app.kubernetes.io/name=handover --tail=2000 --prefix 2>&1 |
    grep -v '"msg":"reconcile \(begins\|ends\)"' | tail -120 || true
fi
[ ${#flaky[@]} = 0 ] || log "flaky, passed only at a second run: ${flaky[*]}"
[ ${#flaky[@]} -le 2 ] || { log "${#flaky[@]} flaky stories are more than two: that fails the run"; failed=$((failed + 1)); }
[ $((passed + failed)) -gt 0 ] || { log "no story could run"; failed=1; }
told="$passed passed, $failed failed"
[ $failed = 0 ]
