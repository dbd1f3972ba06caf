# A GitOps tool applies the manifest again every few seconds, client-side: the rollout goes on undisturbed.
reapplied
