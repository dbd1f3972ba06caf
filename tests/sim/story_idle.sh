# Idle, it asks for nothing but its watches and the renewal of its lease, and has less than 4 MiB of its own.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","reconcilesPerSecond":40}'
handover a; target op:v1; adopted
others() { api GET /sim/requests | jq -r '[.last[] | select(.userAgent | startswith("handover")) | "\(.method) \(.target)"] | unique[]' | grep -v '^PUT .*/leases/handover' || true; }
quiet() { api DELETE /sim/requests >/dev/null; sleep 2; [ -z "$(others)" ]; }
until_true 20 "quiet after the adoption" quiet
api DELETE /sim/requests >/dev/null; sleep 6
[ -z "$(others)" ] || fail "idle, it asked for: $(others)"
n=$(api GET /sim/requests | jq '[.last[] | select(.method == "PUT")] | length')
[ "$n" -ge 3 ] || fail "only $n renewals in 6 s"
kib() { awk -v name="$1:" '$1 == name {print $2}' "/proc/$pid/$2"; }
own=$(kib RssAnon status)
echo "RssAnon $own KiB, Pss $(kib Pss smaps_rollup) KiB, VmRSS $(kib VmRSS status) KiB"
grep -q libasan "/proc/$pid/maps" || [ "$own" -lt 4096 ] || fail "RssAnon is $own KiB, allowed are 4096"
