#!/usr/bin/env bash
# unused_symbols.sh MAIN.o... -- LIBRARY... : what a library exports is used by another file of the programs; use by tests alone
# does not count. What only its own file uses is static there. What is exempt, and why, stands below.
set -euo pipefail
exempt() {
  cat <<'END'
sim_advance sim_container_exit sim_container_ready sim_fault sim_pod_get sim_requests sim_set_runtime : the simulated world of the tests drives the embedded API server with them
app_leading http_in_reset queue_get queue_processing checkpoint_count lease_fence_ns store_bytes scrape_target_reset : what the tests look at, of state that has no other window
task_cancelled task_key world_defer queue_shutdown version_find rehearsal_report_cut rehearsals_image_of rehearsals_groups_of : part of an interface whose other half is used: tests and benches are its other users
kube_identify : for programs on the library; Handover has the name that it has by default
exec_cred_parse : a parser of outside bytes, entered by its fuzzer
judge_beta_cdf judge_clopper_pearson_upper : the mathematics of docs/judge.md, checked against its tables
END
}
main=(); while [ "$1" != -- ]; do main+=("$1"); shift; done; shift
used=$( (for f in "${main[@]}" "$@"; do nm -u "$f"; done) | awk '$1 == "U" {print $2}' | sort -u)
defined=$(for f in "$@"; do nm -g --defined-only "$f" | awk -v lib="$(basename "$f" .a)" '/\.o:$/ {file = $0} NF == 3 && $3 !~ /^__/ {print $3, lib "/" file}'; done | sort)
[ "$(wc -l <<<"$defined")" -gt 500 ] && [ "$(wc -l <<<"$used")" -gt 500 ] || { echo "FAIL: the libraries were not understood"; exit 1; }
names=$(exempt | sed 's/ :.*//' | tr ' ' '\n' | sort)
rc=0
while read -r symbol where; do
  [ -z "$symbol" ] || grep -qx "$symbol" <<<"$names" || { echo "FAIL: $symbol of ${where%.c.o:} is used by no other file: static, or it goes"; rc=1; }
done <<<"$(join -v1 <(echo "$defined") <(echo "$used"))"
stale=$(comm -12 <(echo "$names") <(echo "$used"); comm -23 <(echo "$names") <(cut -d' ' -f1 <<<"$defined" | sort -u))
[ -z "$stale" ] || { echo "FAIL: exempt, but used or gone: $(xargs <<<"$stale")"; rc=1; }
exit $rc
