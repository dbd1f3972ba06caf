# The kernel's OOM killer ends the leader: a helper process in the container's own memory cgroup takes more than its limit allows,
# and the kernel chooses by the score that the kubelet gave the container. Exit code 137 is as good a certificate as any.
. ./leadership.sh
in_a_rollout 15
both_warm
old=$(leader) pod=${old%%_*}; pid=$(pid_of "$pod")
group=$(awk -F: '$2 == "memory" {print "/sys/fs/cgroup/memory" $3}' "/proc/$pid/cgroup")
[ -n "$group" ] || group=/sys/fs/cgroup$(awk -F: '$1 == 0 {print $3}' "/proc/$pid/cgroup")
[ -w "$group/cgroup.procs" ] || fail "no memory cgroup $group"
# tail keeps what it has read from a pipe; when Handover is gone and the limit is still too low for it, it goes too
t0=$(now_us)
(head -c 1G /dev/zero | bash -c 'echo $$ >"$1/cgroup.procs" && exec tail -c 1G >/dev/null' - "$group") 2>/dev/null &
within 12 "another leader than $old, before the lease expires" other_leads "$old"
successor
note "from the helper's start to the successor's first reconcile: $(ms $(($(first_work "$new_log") - t0)))"
killed_so() { H get pod "$pod" -o json | jq -e '.status.containerStatuses[0] | [.state, .lastState] | any(.terminated.reason == "OOMKilled" and .terminated.exitCode == 137)'; }
until_true 10 "the kubelet says that it was the OOM killer" killed_so
[ "$why" = certificate ] || fail "$new leads because: $why"
still_in_it
never_two
it_ends_well
