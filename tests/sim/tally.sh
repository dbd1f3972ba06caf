# The examples of docs/examples, built from what is installed, for the stories. Sourced; $top, $HANDOVER and $dir are those of lib.sh.
build=$(dirname "$HANDOVER") compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$(dirname "$HANDOVER")/CMakeCache.txt")
library_installed() { # the library's component, into a prefix of its own
  prefix=$dir/prefix
  cmake --install "$build" --component dev --prefix "$prefix" >"$dir/install.txt" 2>&1 || { cat "$dir/install.txt"; fail "the library cannot be installed"; }
}
tally_in_c() { # VERSION : docs/examples/c as $dir/tally-VERSION
  cmake -S "$top/docs/examples/c" -B "$dir/c" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS=-Werror -DTALLY_VERSION="$1" >"$dir/build.txt" 2>&1 &&
    ninja -C "$dir/c" >>"$dir/build.txt" 2>&1 || { cat "$dir/build.txt"; fail "docs/examples/c cannot be built from what is installed"; }
  cp "$dir/c/tally" "$dir/tally-$1"
}
tally() { # NAME PROGRAM [ARGS] : an instance; its pid is in pid_NAME
  local name=$1 program=$2; shift 2
  POD_NAME=$name "$program" --server="$server" --namespace=default --lease=tally --admin=127.0.0.1:0 "$@" >"$dir/$name.log" 2>&1 & pids+=($!)
  eval "pid_$name=$!"
}
maps=/api/v1/namespaces/default/configmaps
source_map() { # NAME [DATA [ANNOTATION=VALUE]]
  api POST $maps "$(jq -n --arg n "$1" --arg d "${2:-some text}" --arg a "${3:-}" '{metadata: {name: $n, labels: {"tally.example.com/count": "yes"},
    annotations: (if $a == "" then {} else {("tally.example.com/" + ($a | sub("=.*"; ""))): ($a | sub("[^=]*="; ""))} end)}, data: {text: $d}}')" >/dev/null
}
tally_of() { api GET "$maps/$1-tally" | jq -r '"\(.data.keys) \(.data.bytes) \(.data.version)"'; }
tally_is() { [ "$(tally_of "$1")" = "$2" ]; }
tally_lease() { api GET /apis/coordination.k8s.io/v1/namespaces/default/leases/tally | jq -r "$1"; }
tally_leads() { [[ $(tally_lease .spec.holderIdentity) == "$1"_* ]]; }
tally_checkpoint() { tally_lease '.metadata.annotations["handover.dev/checkpoint"] // ""'; }
# A line for each key of the checkpoint: its kind's letter, the key, its marks.
checkpoint_keys() {
  tally_checkpoint | sed 's/^[^|]*| //' | awk -v RS=' ' 'BEGIN {for (i = 0; i < 62; i++) d[substr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", i + 1, 1)] = i}
    /^#/ {last = ""; kind = ""; next} /^!/ {kind = substr($0, 2); next} /^\^/ || !length {next}
    {n = 0; while (substr($0, 1, 1) == "z") {n += 61; $0 = substr($0, 2)} n += d[substr($0, 1, 1)]; text = substr($0, 2)
     match(text, /^[^+@~]*/); key = substr(last, 1, n) substr(text, 1, RLENGTH); print kind, key, substr(text, RLENGTH + 1); last = key}'
}
later_version_found() { # on the Lease, beside an annotation of somebody else's
  api PATCH /apis/coordination.k8s.io/v1/namespaces/default/leases/tally '{"metadata":{"annotations":{"handover.dev/checkpoint":"handover/2 keys","example.com/theirs":"yes"}}}' application/merge-patch+json >/dev/null
}
later_version_replaced() { # the successor leads whatever it finds, writes its own, and leaves alone what is not its own
  [[ $(tally_checkpoint) == "handover/1 "* ]] && [ "$(tally_lease '.metadata.annotations["example.com/theirs"]')" = yes ]
}
checkpoint_has() { checkpoint_keys | has -E "$1"; }
first_reconciled() { grep -E '"event":"(Leading|Reconciling)"' "$dir/$1.log" | grep -A1 '"Leading"' | sed -nE '2s/.*"key":"([^"]*)".*/\1/p'; }
stopped_with() { # NAME CODE : SIGTERM, and how it ends
  local rc=0 pid; eval "pid=\$pid_$1"
  kill -TERM "$pid"; wait "$pid" || rc=$?
  [ $rc = "$2" ] || fail "$1 ended with $rc, not with $2"
}
