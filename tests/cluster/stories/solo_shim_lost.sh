# The shim above the leader's container is killed: the kubelet hears of exit code 255, which proves nothing (the process may
# live). The standby does not take that for a certificate: it leads when the lease has expired, or was released.
. ./leadership.sh
in_a_rollout 25
both_warm
old=$(leader) pod=${old%%_*}; pid=$(pid_of "$pod"); shim=$(shim_of "$pid")
grep -q shim "/proc/$shim/cmdline" || fail "the parent of $pid is no shim: $(tr '\0' ' ' <"/proc/$shim/cmdline")"
t0=$(now_us); kill -9 "$shim"
reported() { H get pod "$pod" -o json | jq -e '.status.containerStatuses[0] | [.state, .lastState] | any(.terminated.exitCode == 255)'; }
until_true 10 "the kubelet reports exit code 255" reported
note "exit code 255 is reported after $(ms $(($(now_us) - t0))), $(kill -0 "$pid" 2>/dev/null && echo "the process lives" || echo "the process is dead")"
within 20 "another leader" other_leads "$old"
successor
case $why in expired | released) ;; *) fail "$new leads because: $why" ;; esac
note "$why: the successor's first reconcile after $(ms $(($(first_work "$new_log") - t0)))"
still_in_it
never_two >/dev/null
replace_pod "$pod"
it_ends_well
