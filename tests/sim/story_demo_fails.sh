# The demo ends with an error when its story was not played to the end: an instance that dies, an interruption.
. "$(dirname "$0")/lib.sh"
play() { # what is played, up to its third act
  "$HANDOVER" demo >"$dir/demo.log" 2>&1 & demo=$!; pids+=("$demo")
  until_true 60 "the third act" grep -q '3\. image v2' "$dir/demo.log"
}
ends_badly() { # PATTERN
  local rc=0; wait "$demo" || rc=$?
  [ $rc = 1 ] || fail "exit code $rc: $(cat "$dir/demo.log")"
  grep -qE "The demo failed: .*$1" "$dir/demo.log" || fail "it does not say $1: $(cat "$dir/demo.log")"
  rm -rf "$(sed -n "s/^The instances' logs are in //p" "$dir/demo.log")"
}
child() { grep -lsP "^PPid:\t$demo\$" /proc/[0-9]*/status | head -1 | cut -d/ -f3; }
play; kill -9 "$(child)"; ends_badly 'ended with exit code 137'
play; kill -INT "$demo"; ends_badly interrupted
