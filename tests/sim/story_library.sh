# An operator that is built from the installed library is upgraded in the middle of its work: what was in flight, what waits, and what has
# failed is the next version's, and nothing is lost.
. "$(dirname "$0")/lib.sh"; . "$(dirname "$0")/tally.sh"
library_installed
# Each header stands alone, in what the library says it is written in, and pkg-config knows what a program needs.
for header in $(cd "$prefix/include/handover" && find . -name '*.h'); do
  "$compiler" -std=gnu17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include/handover" -x c "$prefix/include/handover/$header" || fail "$header does not stand alone"
done
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name handover.pc)"); export PKG_CONFIG_PATH
"$compiler" -std=gnu17 -DTALLY_VERSION='"pc"' "$top"/docs/examples/c/*.c $(pkg-config --cflags --libs handover) -o "$dir/tally-pc" || fail "it cannot be built with what pkg-config says"
! "$dir/tally-pc" --lease 2>"$dir/usage.txt" || fail "an option without its value is taken"
has usage: <"$dir/usage.txt" || fail "it says nothing of its options"
tally_in_c 1; tally_in_c 2
failures() { checkpoint_keys | sed -nE 's/^. default\/bad \+([0-9]+).*/\1/p'; }
failed_again() { [ "$(failures)" -gt "$before" ]; }

sim
for n in a b c; do source_map $n "text of $n"; done
tally one "$dir/tally-1" --grace=3s; until_true 10 "one leads" tally_leads one
for n in a b c; do until_true 10 "$n is counted" tally_is $n "1 9 c-1"; done
# One that cannot be written, one whose reading hangs, one that is for later.
fault '{"match":{"method":"PATCH","path":"*/configmaps/bad-tally"},"count":-1,"status":500}'
fault '{"match":{"method":"GET","path":"*/configmaps/slow","userAgent":"tally*"},"count":-1,"latencyMs":60000}'
source_map bad; source_map slow; source_map later text not-before=2199-01-01T00:00:00Z; source_map wrong text not-before=tomorrow
until_true 20 "a checkpoint has all of them" checkpoint_has '^f default/slow'
until_true 20 "it has the failures" checkpoint_has '^d default/bad \+[3-9]'
until_true 20 "it has what cannot be done" checkpoint_has '^x default/wrong .*@-?[0-9]+~tally'
until_true 20 "it has what is for later" checkpoint_has '^d default/later @'
tally two "$dir/tally-2" --grace=3s; until_true 10 "two has warm caches" log_says two CachesSynced
before=$(failures)
stopped_with one 3 # what hangs was cancelled
until_true 10 "two leads" tally_leads two
until_true 10 "two has taken them over" log_says two '"event":"Leading"'
[ "$(first_reconciled two)" = default/slow ] || fail "the first was $(first_reconciled two), not what the predecessor was cancelled in"
until_true 10 "two knows how often it failed" failed_again
fault '{"clear":true}'
until_true 10 "what hung is counted" tally_is slow "1 9 c-2"
until_true 60 "what failed is counted" tally_is bad "1 9 c-2"
checkpoint_has '^d default/later @' || fail "what is for later is lost"
checkpoint_has '^x default/wrong .*@' || fail "the dead letter is lost"
tally_is a "1 9 c-1" || fail "what is up to date was written again"
api PATCH $maps/later '{"metadata":{"annotations":{"tally.example.com/not-before":null}}}' application/merge-patch+json >/dev/null
until_true 10 "what was for later is counted" tally_is later "1 4 c-2"
stopped_with two 0

later_version_found
tally three "$dir/tally-1"; until_true 10 "three leads" tally_leads three
until_true 10 "three says so" log_says three '"event":"CheckpointUnusable".*"fault":"foreign"'
until_true 10 "it is replaced" later_version_replaced
stopped_with three 0
