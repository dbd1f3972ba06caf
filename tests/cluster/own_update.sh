# What the stories share in which Handover upgrades itself, sourced by them after leadership.sh: its own Deployment as a target, its
# versions, and tests/broken's as an image.

own() { H get configmap handover-handover -o 'jsonpath={.data.state}' | jq -r "$1"; }
own_is() { [ "$(own .phase)" = "$1" ]; }
own_phase() { target=handover; until_true "$2" "Handover's own Deployment in phase $1 (is $(own '.phase + " " + (.message // "")' 2>/dev/null))" own_is "$1"; }
stable_leads() { local l; l=$(leader) && [ -n "$l" ] && [[ $l != handover-canary-* ]]; }
canary_leads() { [[ $(leader) = handover-canary-* ]]; }
not_canaries() { H get pods -l 'app.kubernetes.io/name=handover,handover.dev/track!=canary' -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null) | "\(.metadata.name) \(.status.containerStatuses[0].restartCount)"' | sort; }
last_end() { own '.history[0].endedAt // ""'; }
rolled_back_once_more() { own_is RolledBack && [ "$(last_end)" != "$ended" ]; } # a version that crashes is so within seconds
update() { # JQ : Handover's template
  H get deployment handover -o json | jq "$1" | H replace -f - >/dev/null
}

broken_image() {
  local build=$TOP/build-broken root=$kept/broken
  { cmake -S "$TOP" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$build" handover-broken; } >"$kept/build.log" 2>&1 || { tail -20 "$kept/build.log"; fail "the broken one does not build"; }
  "$TOP/deploy/image/rootfs.sh" "$build/handover-broken" "$root"; mv "$root/usr/bin/handover-broken" "$root/usr/bin/handover"
  ./cluster.sh load localhost/handover:broken "$root" /usr/bin/handover
}
broken() { # KIND : that one as the next version
  update '.spec.template.spec.containers[0] |= (.image = "localhost/handover:broken" | .env = [.env[] | select(.name != "HANDOVER_BROKEN")] + [{name: "HANDOVER_BROKEN", value: "'"$1"'"}])'
}

leases='.spec.template.spec.containers[0].args += ["--lease-duration=8s", "--renew-deadline=6s", "--retry-period=1s"]'
notes='.metadata.annotations += {"handover.dev/canary-percent": "50", "handover.dev/soak": "30s", "handover.dev/quiet": "1s", "handover.dev/deadline": "6m", "handover.dev/min-events": "10", "handover.dev/max-error-rate": "5%"}'
# Whatever became of it: a Deployment that was never a target. (Its annotation and its template taken back at once would be refused: that is another version.)
own_reset() {
  in_cluster kubectl delete mutatingadmissionpolicybinding,mutatingadmissionpolicy handover-hold --ignore-not-found >/dev/null 2>&1 || true
  H delete deployment handover --ignore-not-found --cascade=foreground --timeout=120s >/dev/null
  H delete configmap handover-handover --ignore-not-found >/dev/null
  deploy_handover
}
