# SIGKILL of the leader's process, again and again in the middle of a rollout: the kubelet's record of its end is its death
# certificate, so that the standby goes on at once and not when the lease expires. KILLS=N; GAPS=FILE gets the times in ms.
# tags: oldest
. ./leadership.sh
in_a_rollout 60
gaps=$kept/gaps first_state=0
for i in $(seq "${KILLS:-11}"); do
  both_warm
  old=$(leader) pod=${old%%_*}; pid=$(pid_of "$pod")
  restarts=$(H get pod "$pod" -o 'jsonpath={.status.containerStatuses[0].restartCount}')
  t0=$(now_us); kill -9 "$pid"
  within 12 "another leader than $old, before the lease expires" other_leads "$old"
  successor
  [ "$why" = certificate ] || fail "$new leads because: $why"
  said "$new_log" HolderTerminated .holder | has -x "$old" || fail "no line about the certificate of $old"
  [ "$(metric "${new%%_*}" 'handover_takeovers_total{reason="certificate"}')" = 1 ] || fail "the metric does not say so"
  gap=$(($(first_work "$new_log") - t0))
  note "kill $i ($restarts restarts before): the successor's first reconcile after $(ms $gap)"
  echo $((gap / 1000)) >>"$gaps"
  [ "$i" -gt 3 ] || still_in_it
  [ "$restarts" = 0 ] || replace_pod "$pod"
done
sort -n "$gaps" | awk '{v[NR] = $1} END {print "  from SIGKILL to the first reconcile of the successor: median " v[int((NR + 1) / 2)] " ms, max " v[NR] " ms, of " NR}'
[ -z "${GAPS:-}" ] || cp "$gaps" "$GAPS"
never_two >/dev/null
it_ends_well
