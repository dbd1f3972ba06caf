# A real Prometheus for stories, to be sourced after lib.sh: it scrapes the pods of namespace default once a second, through the API server's proxy.
command -v prometheus >/dev/null || { echo "SKIPPED: prometheus (Debian's package of that name) is not installed"; exit 77; }

prometheus_config() {
  cat >"$dir/prometheus.yml" <<EOF
global: {scrape_interval: 1s}
scrape_configs:
- job_name: pods
  file_sd_configs: [{files: ["$dir/pods.json"]}]
EOF
}
prometheus_up() { # [PORT] : without one it takes a free one, which is in $port then
  local address=127.0.0.1:${1:-0}
  prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/tsdb" --web.listen-address="$address" --web.route-prefix=/prefix \
    --web.external-url=http://localhost/prefix --log.level=info >"$dir/prometheus.log" 2>&1 & pid_prometheus=$!; pids+=("$pid_prometheus")
  until_true 30 "Prometheus listens" grep -q 'msg="Listening on"' "$dir/prometheus.log"
  [ -n "${1:-}" ] || port=$(grep 'msg="Listening on"' "$dir/prometheus.log" | grep -oE 'address=127.0.0.1:[0-9]+' | sed 's/.*://')
  url=http://127.0.0.1:$port/prefix
}
discover() { # stands in for Prometheus's own discovery, which Debian's package is built without: through the API server's proxy to each pod
  while :; do
    api GET /api/v1/namespaces/default/pods | jq --arg to "${server#http://}" '[.items[] | select(.status.podIP and .metadata.deletionTimestamp == null) |
      {targets: [$to], labels: {instance: .status.podIP, namespace: "default", pod: .metadata.name,
        __metrics_path__: "/api/v1/namespaces/default/pods/\(.metadata.name):8080/proxy/metrics"}}]' >"$dir/pods.new" &&
      { cmp -s "$dir/pods.new" "$dir/pods.json" || mv "$dir/pods.new" "$dir/pods.json"; }
    sleep 0.3
  done 2>/dev/null
}
asked() { curl -sS -f --data-urlencode "query=$1" "$url/api/v1/query" | jq -e ".data.result | length >= ${2:-1}" >/dev/null; }
prometheus_serves() { prometheus_config; discover & pids+=($!); prometheus_up; }
