# The leader's pod is evicted, by the Eviction API as a drained node does it, and by the kubelet itself because its volume has
# grown too large. The first asks the process to stop: it drains and releases the lease. So does the second on a current kubelet, whose
# pod is `Succeeded` then; one of 1.20 kills at once and leaves no word about containers in the pod's status: no certificate, so the lease
# has to expire.
# tags: oldest
. ./leadership.sh
at_exit+=(deploy_handover)
deploy_handover '.spec.template.spec.volumes += [{name: "scratch", emptyDir: {sizeLimit: "1Mi"}}] |
  .spec.template.spec.containers[0].volumeMounts += [{name: "scratch", mountPath: "/scratch"}]'
in_a_rollout 50
handed_over() { # WHAT
  successor
  case " $2 " in *" $why "*) ;; *) fail "$1: $new leads because: $why" ;; esac
  still_in_it
}

both_warm
old=$(leader) pod=${old%%_*}; t0=$(now_us)
H create --raw "/api/v1/namespaces/handover-system/pods/$pod/eviction" -f - >/dev/null <<<"{\"apiVersion\": \"policy/$([ "${CLUSTER_MINOR:-99}" -ge 22 ] && echo v1 || echo v1beta1)\", \"kind\": \"Eviction\", \"metadata\": {\"name\": \"$pod\", \"namespace\": \"handover-system\"}}"
within 12 "another leader than $old, before the lease expires" other_leads "$old"
handed_over "evicted by the API" released
note "evicted by the API: the successor's first reconcile after $(ms $(($(first_work "$new_log") - t0)))"

both_warm
old=$(leader) pod=${old%%_*}; uid=$(H get pod "$pod" -o 'jsonpath={.metadata.uid}')
head -c 2M /dev/zero >"$CLUSTER_DIR/node1/kubelet/pods/$uid/volumes/kubernetes.io~empty-dir/scratch/ballast"
# Its Event says so on every release; the pod's status does not always: a kubelet of 1.37 may write `Succeeded` without a reason.
evicted() { H get events --field-selector "reason=Evicted,involvedObject.uid=$uid" -o json | jq -er '.items[0].message // empty'; }
until_true 60 "the kubelet evicts it" evicted # it measures volumes every minute or so
t0=$(now_us)
note "evicted by the kubelet: $(evicted)"
within 20 "another leader" other_leads "$old"
handed_over "evicted by the kubelet" "expired released certificate"
note "evicted by the kubelet: $why, the successor's first reconcile after $(ms $(($(first_work "$new_log") - t0)))"
H delete pod "$pod" --wait=false >/dev/null
never_two
it_ends_well
