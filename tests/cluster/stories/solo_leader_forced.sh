# kubectl delete --force --grace-period=0: the leader's pod is gone from the API while its process lives. The pod's absence
# proves nothing: nobody else leads before the process has released the lease, or has been out of it for the lease's duration.
. ./leadership.sh
in_a_rollout 45
both_warm
old=$(leader) pod=${old%%_*}; t0=$(now_us)
H delete pod "$pod" --force --grace-period=0 >/dev/null 2>&1
within 12 "another leader than $old, before the lease expires" other_leads "$old"
successor
[ "$why" = released ] || fail "$new leads because: $why"
note "force-deleted: the successor's first reconcile after $(ms $(($(first_work "$new_log") - t0)))"
still_in_it

# One that does not hear the request to stop, because it is frozen: no release, and no pod to read a certificate from.
both_warm
old=$(leader) pod=${old%%_*}; pid=$(pid_of "$pod"); at=$(term)
kill -STOP "$pid"; t0=$(now_us)
H delete pod "$pod" --force --grace-period=0 >/dev/null 2>&1
gone() { [[ $(H get pod "$pod" 2>&1 || true) = *NotFound* ]]; }
until_true 5 "the pod is gone" gone
lives=0
while kill -0 "$pid" 2>/dev/null; do
  [ "$(leader)" = "$old" ] || fail "$(leader) leads while the process of $old lives"
  lives=$((lives + 1)); sleep 0.1
done
[ $lives -gt 0 ] || note "the process was gone before we looked"
note "its process lived for $(ms $(($(now_us) - t0))), without a pod"
within 20 "another leader, when the lease has expired" other_leads "$old"
successor
[ "$why" = expired ] || fail "$new leads because: $why"
[ "$(term)" = $((at + 1)) ] || fail "the term went from $at to $(term)"
note "frozen and force-deleted: the successor's first reconcile after $(ms $(($(first_work "$new_log") - t0)))"
still_in_it
never_two >/dev/null
it_ends_well
