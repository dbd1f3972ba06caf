#!/usr/bin/env bash
# hardening.sh PROGRAM... : fails unless each is position-independent, with read-only relocations that are resolved at start, a stack
# that is not executable, stack protector and fortified libc calls, on x86-64 also control-flow
# protection: shadow stack, and endbr64 where an indirect call may land (the property IBT is not there: Debian's crt1.o has none), on
# arm64 return addresses that are signed (paciasp).
set -euo pipefail
export LC_ALL=C
rc=0
for program in "$@"; do
  elf=$(readelf -hldnW --dyn-syms "$program")
  has() { grep -qE "$2" <<<"$elf" || { echo "$program: no $1" >&2; rc=1; }; }
  has "PIE" 'FLAGS_1.*PIE'
  has "full RELRO" 'GNU_RELRO'
  has "binding at start" 'FLAGS_1.*NOW'
  has "non-executable stack" 'GNU_STACK +(0x[0-9a-f]+ ){5}RW +0'
  has "stack protector" '__stack_chk_fail'
  has "fortified calls" '__[a-z]+_chk(@|$)'
  if grep -q 'Machine:.*AArch64' <<<"$elf"; then
    n=$(LC_ALL=C grep -oabP '\x3f\x23\x03\xd5' "$program" | wc -l) # paciasp: objdump of another architecture is no package that everybody has
    [ "$n" -ge 500 ] || { echo "$program: built without -mbranch-protection=standard: $n paciasp" >&2; rc=1; }
  fi
  grep -q 'Machine:.*X86-64' <<<"$elf" || continue
  has "shadow stack" 'x86 feature:.*SHSTK'
  n=$(objdump -d --no-show-raw-insn "$program" | grep -c endbr64) || true
  [ "$n" -ge 500 ] || { echo "$program: built without -fcf-protection=full: $n endbr64" >&2; rc=1; }
done
exit $rc
