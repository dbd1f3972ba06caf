#!/usr/bin/env bash
# pure_cores.sh LIBRARY... : the pure cores ask nothing of the machine: no clock, no randomness, no file, socket, process, environment.
# That they link neither loop nor net says nothing about libc.
set -euo pipefail
impure='clock|clock_[a-z]+|time|gettimeofday|timespec_get|localtime(_r)?|mktime|tzset|sleep|usleep|nanosleep|getenv|secure_getenv|setlocale'
impure="$impure|s?rand(om)?|[dlmn]rand48|getrandom|getentropy|arc4random|open(at)?(64)?|fopen(64)?|f?read|f?write|close|stat|fstat|socket|connect"
impure="$impure|bind|listen|fork|execv[a-z]*|posix_spawnp?|system|popen|kill|getpid|pthread_create|v?f?printf|f?puts|putchar|stdout|stderr"
impure="$impure|_(_printf|_fprintf|_vfprintf)_chk|uv_.*|curl_.*|sd_.*"
rc=0
for lib in "$@"; do
  names=$(nm -u "$lib" | awk '$1 == "U" {print $2}' | sort -u)
  [ -n "$names" ] || { echo "FAIL: $lib was not understood"; exit 1; }
  found=$(grep -xE "$impure" <<<"$names" | tr '\n' ' ') || continue
  echo "FAIL: $(basename "$lib") uses $found"; rc=1
done
exit $rc
