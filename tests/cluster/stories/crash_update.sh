# A version that crashes is rolled back by its pods' health, without waiting for metrics.
apply op v1 "${quick[@]}"; adopted op; before=$(pods_of op)
set_image op crash
wait_phase op RolledBack 90
canary_gone op
same_pods op "$before"
