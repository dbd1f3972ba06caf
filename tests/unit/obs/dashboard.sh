#!/usr/bin/env bash
# The dashboard and the alert rules name only metrics that the sources register, and are what Grafana and Prometheus read.
# Needs jq; with promtool the rules are checked and tried as well. 77: skipped.
set -euo pipefail
top=$(cd "$(dirname "$0")/../../.." && pwd); cd "$top"
command -v jq >/dev/null || { echo "skipped: there is no jq here"; exit 77; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
failed=0
bad() { echo "$*" >&2; failed=1; }

# Every query of the dashboard, one a line; it must be JSON, each panel must have its own id and say where it is.
jq -r '[.. | objects | .expr? // empty | strings] | .[]' deploy/dashboard/handover.json >"$tmp/queries"
[ "$(wc -l <"$tmp/queries")" -gt 20 ] || bad "the dashboard has hardly any query"
jq -e '[.panels[].id] | length == (unique | length)' deploy/dashboard/handover.json >/dev/null || bad "two panels share an id"
jq -e 'all(.panels[]; .gridPos.x + .gridPos.w <= 24)' deploy/dashboard/handover.json >/dev/null || bad "a panel is outside the grid"

# Strings that look like metric names, in the sources. A histogram's series have suffixes of their own.
grep -rhoE '"[a-z][a-z0-9_]+_[a-z0-9]+"' --include='*.c' --include='*.h' src leader rollout | tr -d '"' | sort -u >"$tmp/known"
cat "$tmp/queries" deploy/alerts/handover.yaml | grep -oE '\b(handover|leader_election|workqueue|controller_runtime|rest_client|process)_[a-z0-9_]+' |
  sort -u >"$tmp/named"
while read -r name; do
  grep -qxF "$name" "$tmp/known" || grep -qxF "${name%_bucket}" "$tmp/known" || grep -qxF "${name%_count}" "$tmp/known" ||
    grep -qxF "${name%_sum}" "$tmp/known" || bad "no source registers $name"
done <"$tmp/named"
# And none under another prefix, which the list above would not see.
grep -oE '\b[a-z_]+_(total|seconds|bytes|bucket|info)\b' "$tmp/queries" | sort -u >"$tmp/endings"
while read -r name; do
  grep -qxF "$name" "$tmp/named" || bad "what is $name?"
done <"$tmp/endings"

# A value that a query selects by is one that the sources know.
grep -hoE '\b(reason|result|outcome|phase|state)(=~|!~|!=|=)"[^"]*"' "$tmp/queries" deploy/alerts/handover.yaml | sed 's/^[a-z]*[=!~]*//' | tr -d '"' | tr '|' '\n' |
  sort -u >"$tmp/values"
[ "$(wc -l <"$tmp/values")" -gt 10 ] || bad "hardly any query selects by a label"
while read -r value; do
  grep -rqF --include='*.c' --include='*.h' "\"$value\"" src leader rollout || bad "no source has the label value $value"
done <"$tmp/values"

# The PrometheusRule has the same rules.
diff <(sed -n '/^groups:/,$p' deploy/alerts/handover.yaml) <(sed -n '/^spec:/,$p' deploy/alerts/prometheusrule.yaml | sed '1d; s/^  //') >"$tmp/log" ||
  { cat "$tmp/log" >&2; bad "deploy/alerts/prometheusrule.yaml has other rules than handover.yaml"; }

if promtool=$(command -v promtool); then
  "$promtool" check rules deploy/alerts/handover.yaml >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; bad "promtool check rules"; }
  "$promtool" test rules tests/unit/obs/alerts_test.yaml >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; bad "promtool test rules"; }
  { # the dashboard's queries, as rules, for their syntax
    echo "groups: [{name: dashboard, rules: ["
    n=0
    while IFS= read -r query; do
      n=$((n + 1)); query=${query//'$__rate_interval'/5m}; query=${query//'$job'/handover}
      printf '{record: "q:%d", expr: %s},\n' "$n" "$(jq -Rn --arg q "$query" '$q')"
    done <"$tmp/queries"
    echo "]}]"
  } >"$tmp/rules.yaml"
  "$promtool" check rules "$tmp/rules.yaml" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; bad "a query of the dashboard is no PromQL"; }
else
  echo "without promtool: only the names were checked"
fi
exit $failed
