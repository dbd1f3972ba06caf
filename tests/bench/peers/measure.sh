# What the benches beside peers share. Sourced; `out` is a folder of the bench's own, `top` the tree, `missed` becomes 1 when an
# aim is missed. Afterwards `inside` is the prefix of a command inside the cluster, `pid[NAME]` the processes that were started.
declare -A pid=()
inside=() own=

build_here() { # NAME TARGET... : in Release mode
  local name=$1; shift
  mkdir -p "$BUILD"
  { cmake -S "$top" -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$BUILD" "$@"; } >"$BUILD/$name.log" 2>&1 ||
    { tail -30 "$BUILD/$name.log" >&2; exit 1; }
}

go_here() { # FOLDER PROGRAM : go_program, unless it is newer than its sources
  [ -x "$2" ] && [ -z "$(find "$1" -newer "$2")" ] || go_program "$@"
}

cluster() { "${inside[@]}" "$@"; }
end() { # NAME : SIGTERM, and waits for it
  kill -CONT "${pid[$1]}" 2>/dev/null || true
  kill "${pid[$1]}" 2>/dev/null || true; wait "${pid[$1]}" 2>/dev/null || true
  unset "pid[$1]"
}
tidy() {
  local name
  for name in "${!pid[@]}"; do end "$name"; done
  [ -z "$own" ] || [ -n "${KEEP:-}" ] || "$top/tests/cluster/cluster.sh" down
  [ -n "${KEEP:-}" ] || rm -rf "$out"
}
# A control plane without a node, which answers inside `inside`; one that KEEP=1 has left is used again.
own_control_plane() {
  [ "$(id -u)" = 0 ] || { echo "a cluster of our own needs root" >&2; exit 1; }
  export CLUSTER_DIR=${CLUSTER_DIR:-/tmp/handover-bench} CLUSTER_NS=${CLUSTER_NS:-handover-bench} WITHOUT_NODE=1
  inside=(nsenter "--net=/run/netns/$CLUSTER_NS")
  trap tidy EXIT
  if [ -d "$CLUSTER_DIR/pki" ] && ! cluster kubectl --kubeconfig="$CLUSTER_DIR/pki/admin.kubeconfig" get --raw /readyz >/dev/null 2>&1; then
    "$top/tests/cluster/cluster.sh" down
  fi
  own=1
  [ -d "$CLUSTER_DIR/pki" ] || "$top/tests/cluster/cluster.sh" up || exit 1
  eval "$("$top/tests/cluster/cluster.sh" env)"
}
stop_controllers() {
  local p
  for p in kube-controller-manager kube-scheduler; do
    [ ! -f "$CLUSTER_DIR/run/$p.pid" ] || kill "$(cat "$CLUSTER_DIR/run/$p.pid")" 2>/dev/null || true
  done
}

memory_kib() { # PID RssAnon|VmRSS|Pss
  case $2 in
    Pss) awk '$1 == "Pss:" { print $2 }' "/proc/$1/smaps_rollup" ;;
    *) awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status" ;;
  esac
}

note() { echo "$1 $2 $3" >>"$out/figures"; } # NAME VALUE UNIT : one of several measurements
percentile() { # NAME P
  awk -v name="$1" '$1 == name { print $2 }' "$out/figures" | sort -g | awk -v p="$2" '{ v[NR] = $1 } END { i = int(p / 100 * NR + 0.999999); if (NR) print v[i < 1 ? 1 : i] }'
}
median() { percentile "$1" 50; }
report() { # PREFIX : the median of all figures that begin so, in the order in which they came
  local name unit
  while read -r name unit; do echo "$name $(median "$name") $unit"; done < <(awk -v p="$1" 'index($1, p) == 1 && !seen[$1]++ { print $1, $3 }' "$out/figures")
}
aim() { # WHAT EXPRESSION LIMIT : missed if the expression is larger
  awk "BEGIN { exit !(($2) > ($3)) }" || return 0
  echo "missed: $1 ($2, at most $3)" >&2; missed=1
}
