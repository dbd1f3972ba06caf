#!/usr/bin/env bash
# symbol_prefix.sh LIBRARY... : every external symbol of a library says where it lives: its name begins with the library's name
# (without _core, _host, _common) or with a word of its file's name (lease_access.c: lease_, access_; store.c: store_), singular or
# plural, or with a prefix that stands below for that library.
set -euo pipefail
also() { # LIBRARY : further prefixes, of a header that several files share or of a name that is shorter than its file's
  case $1 in
    base) echo x sha256 base64 duration ;;              # mem.h: xmalloc...; hash.h; time.h
    api) echo obj key rv url name ;;                    # meta.h, gvr.h
    world) echo fd http proc timer ;;                   # what the worlds implement, called through world.c
    net) echo server ;;                                 # listener.c
    obs) echo admin socket ;;
    kube) echo proxy tls ;;
    kube_core) echo split ;;                            # splitter.h
    control) echo controller ;;
    control_core) echo backoff bucket ;;                # ratelimit.h
    leader_core) echo identity cp log_limit ;;          # certificate.h, checkpoint_text.h, lease_access.h
    sim_core) echo ctl pb resource ;;                   # ctl.h, protobuf.h, rest.h
    cli_sim) echo cli ;;                                # commands.h
    rollout) echo target scraper ;;                     # snapshot.h, scrape.h
    rollout_core) echo plan obs observe prom verdict phase hold ended template facts ;; # a folder, objects.h, promtext.h, state.h
  esac
}
rc=0
for file in "$@"; do
  lib=$(basename "$file" .a); lib=${lib#lib}; prefixes=$(also "$lib")
  symbols=$(nm -g --defined-only "$file" | awk '/\.o:$/ {f = $0; sub(/(\.c)?\.o:$/, "", f)} NF == 3 && $3 !~ /^__/ {print f, $3}')
  [ -n "$symbols" ] || { echo "FAIL: $file was not understood"; exit 1; }
  bad=$(awk -v lib="$(sed -E 's/_(core|host|common)$//' <<<"$lib")" -v also="$prefixes" -v name="$lib" '
    function begins(p, q) { # with the word, or its singular or plural
      q = p; sub(/s$/, "", q)
      return $2 == p || index($2, p "_") == 1 || index($2, p "s_") == 1 || index($2, q "_") == 1
    }
    BEGIN {n = split(also, a, " ")}
    {
      good = begins(lib)
      for (i = 1; i <= n; i++) good = good || begins(a[i]) || a[i] == "x" && $2 ~ /^x[a-z]/
      k = split($1, w, "_")
      for (i = 1; i <= k; i++) good = good || begins(w[i])
      if (!good) print "FAIL: " $2 " in " $1 ".c of " name " begins with neither its library nor its file"
    }' <<<"$symbols")
  [ -z "$bad" ] || { echo "$bad"; rc=1; }
done
exit $rc
