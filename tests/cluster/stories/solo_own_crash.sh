# Handover's own next version, a good one and a broken one, and each time a process of Handover that is killed (SIGKILL) as soon as the
# API server's audit log has its Nth write: whichever it is, the end is the same. A renewal of the Lease that changes nothing else is no
# write here. POINTS="N ...": which.
# tags: long
# seconds: 3600
. ./leadership.sh; . ./own_update.sh
at_exit+=(own_reset)
audit=$CLUSTER_DIR/log/audit.jsonl killer=
# Kills the pod that makes the Nth write from now on; tells what it was in $kept/killed.
kill_at() { # N
  rm -f "$kept/killed"
  ( n=0 mark='' pid=''
    tail -n 0 -F "$audit" 2>/dev/null | jq --unbuffered -rc 'select(.responseStatus.code < 300) | [.user.extra["authentication.kubernetes.io/pod-name"][0] // "", .verb, .objectRef.resource + "/" + (.objectRef.name // ""),
        (.requestObject // {} | [.spec.holderIdentity, (.metadata.annotations // {} | .["handover.dev/successor"], .["handover.dev/guardian"], .["handover.dev/trial-until"])] | tostring)] | join("\t")' |
      while IFS=$'\t' read -r pod verb what now; do
        case $what in leases/*) [ "$now" != "$mark" ] || continue; mark=$now ;; esac
        n=$((n + 1)); [ "$n" -ge "$1" ] || continue
        pid=$(pid_of "$pod" 2>/dev/null) || continue
        kill -9 "$pid" 2>/dev/null || continue
        echo "$pod $verb $what" >"$kept/killed"; break
      done ) & killer=$!
}
stop_killer() { [ -n "$killer" ] || return 0; pkill -P "$killer" 2>/dev/null || true; kill "$killer" 2>/dev/null || true; wait "$killer" 2>/dev/null || true; killer=; }
at_exit+=('stop_killer 2>/dev/null')
killed() { cat "$kept/killed" 2>/dev/null || echo "nobody: it had fewer writes"; }
ended_once_more() { [ "$(last_end)" != "$ended" ] && { own_is Stable || own_is RolledBack; }; }
quick='.metadata.annotations["handover.dev/soak"] = "10s" | .metadata.annotations["handover.dev/min-events"] = "4"'
shorter=${leases//8s/5s}; shorter=${shorter//6s/4s}

deploy_handover "$shorter | $notes | $quick"
both_warm; own_phase Stable 60
apply op v1 canary-percent=50 soak=5s min-events=4 max-error-rate=5% quiet=1s; adopted op
broken_image
round=0
for point in ${POINTS:-2 5 9 14 20 27}; do
  for kind in good fails; do
    round=$((round + 1)) t=$SECONDS ended=$(last_end)
    set_image op "v$((round % 2 + 1))" # some work for the one that is on trial
    kill_at "$point"
    case $kind in
      good) update '.spec.template.spec.containers[0] |= (.image = "localhost/handover:test" | .env = [.env[] | select(.name | IN("HANDOVER_BROKEN", "ROUND") | not)] + [{name: "ROUND", value: "'$round'"}])'; want=promoted ;;
      *) broken "$kind"; want=failed ;;
    esac
    target=handover; until_true 600 "$kind, killed at write $point ($(killed)): it has ended (is $(own '.phase + " " + (.message // "")' 2>/dev/null))" ended_once_more
    stop_killer
    [ "$(own '.history[0].result')" = "$want" ] || fail "$kind, killed at write $point ($(killed)): $(own '.history[0]')"
    until_true 60 "a pod of the version in service leads" stable_leads
    H get lease handover -o json | jq -e '.metadata.annotations | has("handover.dev/trial-until") | not' >/dev/null || fail "$kind: marks of the trial are left"
    wait_phase op Stable 120
    note "$kind, write $point ($(killed)): $want after $((SECONDS - t)) s"
    both_warm
  done
done
