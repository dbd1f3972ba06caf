#!/usr/bin/env bash
# The two examples succeed each other on one Lease, docs/examples/c on the library and docs/examples/go on client-go: what was in flight comes first,
# what waits, has failed and was given up is known, and a checkpoint that is too large for the Lease is read. TALLY_GO: the program.
. "$(dirname "$0")/lib.sh"; . "$(dirname "$0")/tally.sh"
library_installed; tally_in_c 1
go_tally() { # NAME : an instance; its pid is in pid_NAME
  POD_NAME=$1 "$TALLY_GO" --server="$server" --namespace=default --retry=200ms --grace=3s >"$dir/$1.log" 2>&1 & pids+=($!)
  eval "pid_$1=$!"; until_true 10 "$1 has warm caches" log_says "$1" "caches are warm"
}
c_tally() { tally "$1" "$dir/tally-1" --grace=3s; until_true 10 "$1 has warm caches" log_says "$1" CachesSynced; }
failures() { checkpoint_keys | sed -nE 's/^. default\/bad \+([0-9]+).*/\1/p'; }
failed_again() { [ "$(failures)" -gt "$before" ]; }
written_by() { [[ $(tally_checkpoint) == *" by=$1_"* ]]; }
all_there() { # BY : its checkpoint has what was there all along
  until_true 20 "$1 has its own checkpoint" written_by "$1"
  until_true 20 "$1 knows how often it failed" failed_again
  until_true 20 "$1 has what hangs" checkpoint_has '^f default/slow'
  checkpoint_has '^d default/later @' || fail "$1 has lost what is for later"
  checkpoint_has '^x default/wrong .*@-?[0-9]+~tally' || fail "$1 has lost what was given up"
}
sim
source_map a; c_tally one; until_true 10 "one leads" tally_leads one; until_true 10 "a is counted" tally_is a "1 9 c-1"
fault '{"match":{"method":"PATCH","path":"*/configmaps/bad-tally"},"count":-1,"status":500}'
fault '{"match":{"method":"GET","path":"*/configmaps/slow","userAgent":"tally*"},"count":-1,"latencyMs":60000}'
source_map bad; source_map slow; source_map later text not-before=2199-01-01T00:00:00Z; source_map wrong text not-before=tomorrow
before=2; all_there one

go_tally two; before=$(failures); stopped_with one 3
until_true 20 "two leads" tally_leads two; until_true 10 "two has taken them over" log_says two 'msg=leading|INFO leading'
[[ $(grep -m1 -oE 'restored kind=.*' "$dir/two.log") == "restored kind=interrupted key=default/slow"* ]] || fail "what one was cancelled in is not the first that two restores"
[[ $(grep -oE 'reconciling key=.*' "$dir/two.log" | head -4) == *default/slow* ]] || fail "it is not among the first four that two takes up"
all_there two
tally_is a "1 9 c-1" || fail "what is up to date was written again"

c_tally three; before=$(failures); stopped_with two 3
until_true 10 "three leads" tally_leads three; until_true 10 "three has taken them over" log_says three '"event":"Leading"'
[ "$(first_reconciled three)" = default/slow ] || fail "the first was $(first_reconciled three), not what two was cancelled in"
log_says three '"event":"LeaseAcquired".*"reason":"released","restored_keys":4' || fail "three has not taken over all four"
all_there three

# A predecessor of the other kind that dies without a release leaves what its last renewal had.
go_tally four; before=$(failures); kill -9 "$pid_three"
until_true 40 "four leads" tally_leads four
all_there four
c_tally five; fault '{"clear":true}'; stopped_with four 3; until_true 10 "five leads" tally_leads five
until_true 10 "what hung is counted" tally_is slow "1 9 c-1"
bad_is_counted() { [[ $(tally_of bad) == "1 9 "* ]]; }
until_true 90 "what failed is counted" bad_is_counted

# Too large for the Lease: in a ConfigMap, which goes when the successor has a checkpoint of its own.
for n in $(seq 400); do
  name=$(echo "$n" | sha256sum | cut -c 1-64); name=$name.$name.$name
  [ "$n" = 1 ] || echo next
  printf 'url = "%s%s"\nheader = "Content-Type: application/json"\noutput = /dev/null\ndata = "%s"\n' "$server" $maps \
    "{\\\"metadata\\\":{\\\"name\\\":\\\"$name\\\",\\\"labels\\\":{\\\"tally.example.com/count\\\":\\\"yes\\\"},\\\"annotations\\\":{\\\"tally.example.com/not-before\\\":\\\"2199-01-01T00:00:00Z\\\"}}}"
done >"$dir/many"
curl -sS -f -K "$dir/many" || fail "they cannot be made"
api POST $maps '{"metadata":{"name":"last","labels":{"tally.example.com/count":"yes"}},"data":{"text":"the last one"}}' >/dev/null
until_true 20 "five has come to the last" tally_is last "1 12 c-1"
go_tally six; stopped_with five 0
until_true 10 "six leads" tally_leads six
until_true 10 "six has read it" log_says six 'checkpoint restored.* keys=402 skipped=0 dropped=0'
part_gone() { ! api GET "$maps?labelSelector=handover.dev/checkpoint" | jq -e '.items[]'; }
log_says six 'cannot be (read|used)' && fail "six could not read all of it"
until_true 10 "the ConfigMap goes" part_gone
stopped_with six 0

later_version_found
go_tally seven; until_true 20 "seven leads" tally_leads seven
until_true 10 "seven says so" log_says seven 'cannot be used.*foreign'
until_true 10 "it is replaced" later_version_replaced
stopped_with seven 0
echo "ok   the examples in C and in Go succeed each other"
