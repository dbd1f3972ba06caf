# Reads a ledger sorted by time and prints the bench's figures as lines "NAME VALUE UNIT". Exits with 1 when an aim is missed.
# Lines: MICROSECONDS WHO EVENT ...; WHO is KIND-NUMBER, or driver. A pod's next process has the same name: a life is KIND-NUMBER#LIFE.
function kind_of(w) { sub(/-[0-9]+#.*$/, "", w); return w }
function add(name, v) { sample[name, ++count[name]] = v; total[name] += v }
function sorted(name,   i, j, v) { # in place; some hundred values
  for (i = 2; i <= count[name]; i++) {
    v = sample[name, i]
    for (j = i - 1; j > 0 && sample[name, j] > v; j--) sample[name, j + 1] = sample[name, j]
    sample[name, j + 1] = v
  }
}
function rank(name, p,   i) { i = int(count[name] * p); if (i < count[name] * p) i++; if (i < 1) i = 1; return sample[name, i] }
function mean(name) { return total[name] / count[name] }
function figure(name, v, unit) { printf "%s %.2f %s\n", name, v, unit; value[name] = v }
function gap_figures(name) {
  if (!count[name]) return
  sorted(name)
  figure(name "_p50", rank(name, .5), "ms"); figure(name "_p99", rank(name, .99), "ms")
  figure(name "_mean", mean(name), "ms"); figure(name "_max", rank(name, 1), "ms"); printf "%s_count %d handovers\n", name, count[name]
}
function missed(ok, why) { if (!ok) { print "missed: " why; bad = 1 } }
function lose(why) { lost++; print "lost: " why }
function twice(why) { doubled++; print "twice: " why }
# WHO no longer works on KEY
function rest(w, key) { if (active[kind, key] == w) delete active[kind, key]; if (w == going[kind]) last[kind] = $1 }
BEGIN { lost = 0; doubled = 0; SLACK_US = 2000; RENEWED_US = 3000000 }
$2 != "driver" { if ($3 == "warm") lives[$2]++; $2 = $2 "#" (lives[$2] + 0); kind = kind_of($2) }

$2 == "driver" && ($3 == "term" || $3 == "kill9") {
  $4 = $4 "#" lives[$4]; kind = kind_of($4); going[kind] = $4; last[kind] = $1; killed[$4] = $3 == "kill9"
  for (ka in active) if ($3 == "kill9" && active[ka] == $4) { owed[ka] = $4; delete active[ka] }
  # what the checkpoint of the last renewal must have known at least
  for (ka in first) if ($3 == "kill9" && first[ka] < $1 - RENEWED_US) { split(ka, part, SUBSEP); if (part[1] == kind) expected[$4, part[2]] = 1 }
  for (ka in fails) if ($3 == "kill9") { split(ka, part, SUBSEP); if (part[1] == kind) need[ka] = fails[ka] - recent(ka, $1 - RENEWED_US) }
  next
}
function recent(ka, since,   i, c) { c = 0; for (i = nfails[ka]; i > 0 && fail_at[ka, i] > since; i--) c++; return c }
$2 == "driver" && $3 == "state" { if ($5 != $6) lose($4 " was wanted to be " $5 " and is " $6); settled[$4] = $5; next }

$3 == "start" {
  if (going[kind] != "" && $2 != going[kind]) {
    add(kind == "idle" ? "gap" : kind "_gap", ($1 - last[kind]) / 1000)
    if (kind == "crash") { died[going[kind]] = last[kind]; taken[going[kind]] = $1 }
    successor[going[kind]] = $2; going[kind] = ""
  }
  if (owed[kind, $4] != "" && owed[kind, $4] != $2) delete owed[kind, $4]
  a = active[kind, $4]
  if (a != "" && a != $2 && !killed[a] && kind != "peer") twice($4 " was worked on by " a " and " $2 " at once")
  active[kind, $4] = $2
  if ($4 ~ /^poll\// && !((kind, $4) in first)) first[kind, $4] = $1 # nothing but the checkpoint knows of it
  next
}
$3 == "end" {
  if (done[kind, $4, $5] != "") twice($4 " = " $5 " was done by " done[kind, $4, $5] " and " $2)
  done[kind, $4, $5] = $2; keys_done++; rest($2, $4); next
}
$3 == "same" || $3 == "refused" || $3 == "interrupted" { rest($2, $4); next }
$3 == "fail" { rest($2, $4); fails[kind, $4]++; fail_at[kind, $4, ++nfails[kind, $4]] = $1; next }
$3 == "wanted" { want = $5; if (want > wanted[$4]) wanted[$4] = want; next }
$3 == "left" { nleft[$2]++; left[$2, nleft[$2]] = $4 " " $5 " " $6 " " $7; nunfinished++; next }
$3 == "took" {
  if (owed[kind, $5] != "" && owed[kind, $5] != $2) delete owed[kind, $5] # a retry waits for its turn behind what is wanted anew
  took[$2, $5] = $4; took_failures[$2, $5] = $6; took_at[$2, $5] = $7
  if ((kind, $5) in need) { if ($6 < need[kind, $5]) lose($5 " had failed " need[kind, $5] " times, and " $2 " knows of " $6); crash_failures++; delete need[kind, $5] }
  if ((kind, $5) in fails) fails[kind, $5] = $6
  next
}
$3 == "ended" { w = $4 "#" lives[$4]; if (killed[w] && !(w in ended)) ended[w] = $1; next }
$3 == "seen" { add("floor_seen", $4 / 1e6); next }
$3 == "put" { add("floor_put", $4 / 1e6); next }
$3 == "exit" {
  for (i = 5; i <= NF; i++) { split($i, part, "="); requests[kind, part[1]] += part[2] }
  exits[kind]++
}
# What a clean drain left must be there when the successor opens its gates.
function check_left(w, s, i,   f, slip) {
  split(left[w, i], f, " ")
  if (!((s, f[2]) in took)) { lose(f[2] " (" f[1] ") was left by " w " and not taken by " s); return }
  if (took_failures[s, f[2]] < f[3]) lose(f[2] " had failed " f[3] " times, and " s " knows of " took_failures[s, f[2]])
  if (f[1] != "delayed") return
  ndelayed++
  if (took[s, f[2]] != "delayed") { early++; return } # because something else wanted it sooner
  slip = took_at[s, f[2]] - f[4]; if (slip < 0) slip = -slip
  if (slip > SLACK_US) lose(f[2] " was to be looked at at " f[4] ", and " s " will at " took_at[s, f[2]])
}
END {
  for (ka in owed) if (owed[ka] != "") { split(ka, part, SUBSEP); lose(part[2] " was in flight when " owed[ka] " was killed, and nobody took it up") }
  for (we in expected) {
    split(we, part, SUBSEP); if (successor[part[1]] == "") continue
    crash_polls++; if (!((successor[part[1]], part[2]) in took)) lose(part[2] " was in the checkpoint of " part[1] " and not taken by " successor[part[1]])
  }
  for (w in nleft) if (successor[w] != "") for (i = 1; i <= nleft[w]; i++) check_left(w, successor[w], i)
  for (k in wanted) if (k in settled && settled[k] < wanted[k]) lose(k " was wanted to be " wanted[k] ", and the server knows " settled[k])
  for (w in taken) if (w in ended) { add("crash_seen", (ended[w] - died[w]) / 1000); add("crash_taken", (taken[w] - ended[w]) / 1000) }
  gap_figures("gap"); gap_figures("busy_gap"); gap_figures("peer_gap"); gap_figures("crash_gap"); gap_figures("crash_seen"); gap_figures("crash_taken"); gap_figures("nocert_gap")
  if (count["floor_seen"]) {
    sorted("floor_seen"); sorted("floor_put")
    figure("floor_seen_p50", rank("floor_seen", .5), "ms"); figure("floor_put_p50", rank("floor_put", .5), "ms")
    figure("floor_p50", value["floor_seen_p50"] + value["floor_put_p50"], "ms")
    figure("floor_p99", rank("floor_seen", .99) + rank("floor_put", .99), "ms")
  }
  for (k in exits) if (requests[k, "put"] && k ~ /^(idle|busy|peer)$/) { # the killed do not tell
    printf "%s_writes_per_handover %.1f requests\n", k, (requests[k, "put"] + requests[k, "post"]) / exits[k]
    printf "%s_reads_per_handover %.1f requests\n", k, requests[k, "get"] / exits[k]
  }
  printf "keys_done %d keys\nkeys_left %d keys\nkeys_left_delayed %d keys\nkeys_wanted_sooner %d keys\n", keys_done, nunfinished, ndelayed, early
  if (count["crash_gap"]) printf "crash_failures_checked %d keys\ncrash_delayed_checked %d keys\n", crash_failures, crash_polls
  printf "keys_lost %d keys\nkeys_twice %d keys\n", lost, doubled
  if (count["gap"] && count["floor_seen"]) {
    figure("gap_per_floor", value["gap_p50"] / value["floor_p50"], "floors")
    missed(value["gap_per_floor"] <= 1.5, "a graceful gap's p50 within 1.5 floors"); missed(value["gap_p99"] < 50, "a graceful gap's p99 below 50 ms")
  }
  if (count["gap"] && count["peer_gap"]) {
    figure("peer_per_gap", value["peer_gap_mean"] / value["gap_mean"], "x")
    missed(value["peer_per_gap"] >= 100, "a mean gap 100 times shorter than client-go's")
  }
  if (count["crash_gap"]) { missed(value["crash_gap_p50"] < 1000, "a crash gap's p50 below 1 s"); missed(value["crash_gap_p99"] < 2000, "a crash gap's p99 below 2 s") }
  if (count["nocert_gap"]) missed(value["nocert_gap_max"] < LEASE_MS + 2500, "without a certificate, the lease's expiry")
  missed(lost == 0, "no key lost"); missed(doubled == 0, "no key done twice")
  exit bad
}
