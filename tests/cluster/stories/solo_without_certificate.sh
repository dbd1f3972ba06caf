# No death certificate can be had: the standby may not read pods, or the leader could not write its identity. Then a killed
# leader is succeeded when its lease has expired, and the reason stands in a log.
. ./leadership.sh
roles() { { in_cluster kubectl get clusterrole handover -o json; H get role handover -o json; } | jq "$1" | in_cluster kubectl apply -f - >/dev/null 2>&1; }
at_exit+=(deploy_handover)
apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
killed() { # WHAT
  local pid t0
  old=$(leader) pod=${old%%_*}; pid=$(pid_of "$pod")
  t0=$(now_us); kill -9 "$pid"
  within 20 "another leader, when the lease has expired" other_leads "$old"
  successor
  [ "$why" = expired ] || fail "$1: $new leads because: $why"
  note "$1: the successor's first reconcile after $(ms $(($(first_work "$new_log") - t0)))"
  replace_pod "$pod"
}

# Watches that stand are not cut by a change of RBAC. So three warm ones, then the right is taken away, then the leader goes: of
# the two that are left one leads, the other may not look at that one's pod.
deploy_handover '.spec.replicas = 3'
WARM=3 both_warm
roles '.rules |= map(select(.resources != ["pods"]))'
old=$(leader); H delete pod "${old%%_*}" --wait=false >/dev/null
within 12 "another leader than $old, before the lease expires" other_leads "$old"
complains() {
  local f; keep_logs
  for f in $(logs); do [[ $(said "$f" HolderPodWatchFailed .error) != *403* ]] || return 0; done
  return 1
}
until_true 30 "the standby says that it cannot look for a certificate" complains
killed "without the right to read pods"

deploy_handover '.spec.template.spec.containers[0].args += ["--termination-log=/not/to/be/written"]'
both_warm
[ -n "$(said "$(log_of "$(leader)")" CertificateUnavailable)" ] || fail "the leader does not say that it can give no certificate"
killed "without a termination log"
never_two >/dev/null
same_pods op "$before"
set_image op v2; it_ends_well
