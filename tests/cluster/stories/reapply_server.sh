# The same with server-side apply, which owns fields: `paused` stays ours.
# tags: oldest
reapplied --server-side
k get deployment op --show-managed-fields -o json 2>/dev/null | jq -e '[.metadata.managedFields[] | select(.manager == "handover")] | length > 0' >/dev/null ||
  k get deployment op -o json | jq -e '[.metadata.managedFields[] | select(.manager == "handover")] | length > 0' >/dev/null || fail "our fields are not under the manager \"handover\""
