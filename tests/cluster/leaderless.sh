# For how long nobody leads: each write of a Lease, seen by a watch. Sourced by stories, after lib.sh.
# shellcheck shell=bash
# watch_lease LEASE FILE : writes a line for each write of it, who, when acquired, when renewed; sets watch_pid, for the story to end
watch_lease() {
  k get lease "$1" -w -o 'jsonpath={.spec.holderIdentity}|{.spec.acquireTime}|{.spec.renewTime}{"\n"}' >"$2" 2>/dev/null & watch_pid=$!
}
# leaderless FILE [LINE] : from that line on, milliseconds from the last renewal of one leader to the next one's acquisition, one a line; the
# release between them is nobody's. Up to a renewal's interval of that the old one was still at work.
leaderless() {
  awk -F '|' 'function t(s,  a) {split(s, a, /[-T:.Z]/); return ((a[3] * 24 + a[4]) * 60 + a[5]) * 60000 + a[6] * 1000 + substr(a[7] "000", 1, 3)}
    $1 == "" {next} last != "" && $1 != last {printf "%d\n", t($2) - renewed} {last = $1; renewed = t($3)}' <(tail -n "+${2:-1}" "$1")
}
