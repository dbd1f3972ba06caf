#!/usr/bin/env bash
# tests/package.sh BUILD : the Debian package is built, installed into an empty root, upgraded and removed, and leaves nothing behind. The
# library is a package of its own.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd); cd "$top"
build=$1; d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
. tests/wait.sh
[ "$(id -u)" = 0 ] || { echo "only root installs a package"; exit 77; }
command -v dpkg-shlibdeps >/dev/null || { echo "dpkg-dev is not installed"; exit 77; }
pack() { # VERSION -> FILE
  { cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHANDOVER_TESTS=OFF && ninja -C "$build" handover handover-sim handover_library; } >"$d/log" 2>&1 ||
    { tail -20 "$d/log" >&2; return 1; }
  (cd "$build" && cpack -G DEB -B "$d/$1" -D "CPACK_PACKAGE_VERSION=$1" >"$d/log" 2>&1) || { tail -20 "$d/log" >&2; return 1; }
  ls "$d/$1"/*.deb
}
old=$(pack 0.0.1) new=$(pack 0.0.2)
depends=$(dpkg-deb -f "$new" Depends)
for lib in libuv1 libcurl4 libcjson1 libsystemd0 libssl3; do [[ $depends == *$lib* ]] || fail "it does not depend on $lib: $depends"; done

dpkg-deb -c "$new" | has -E '/(include|libhandover|pkgconfig)' && fail "the program's package has something of the library"
(cd "$build" && cpack --config CPackDevConfig.cmake -B "$d/dev" >"$d/log" 2>&1) || { cat "$d/log"; fail "the library's package cannot be made"; }
dev=$(ls "$d"/dev/libhandover-dev_*.deb); dpkg-deb -c "$dev" >"$d/content"
for file in include/handover/handover.h libhandover.a handover.pc handover-config.cmake; do has "/$file\$" <"$d/content" || fail "$dev lacks $file"; done
! has /bin/ <"$d/content" || fail "$dev has a program"
[[ $(dpkg-deb -f "$dev" Depends) == *libuv1-dev* ]] || fail "$dev does not depend on what its headers and its library need"

mkdir -p "$d/root/var/lib/dpkg/info" "$d/root/var/lib/dpkg/updates"; : >"$d/root/var/lib/dpkg/status"
find "$d/root" | sort >"$d/before"
apply() { dpkg --root="$d/root" --force-depends --log="$d/dpkg.log" "$@" >"$d/out" 2>&1 || { cat "$d/out"; fail "dpkg $*"; }; }
apply -i "$old"
apply -i "$new"
[ "$(dpkg-query --admindir="$d/root/var/lib/dpkg" -W -f='${Version}' handover)" = 0.0.2 ] || fail "it is not upgraded"
[[ $("$d/root/usr/bin/handover" version) == handover* ]] || fail "handover version"
"$d/root/usr/bin/handover" sim --help >/dev/null || fail "the embedded API server is not found beside the program"
grep -q '^ExecStart=/usr/bin/handover ' "$d/root/usr/lib/systemd/system/handover.service" || fail "the unit does not start what is installed"
[ -z "$(find "$d/root/usr" -perm /6022 ! -type l)" ] || fail "writable for others, or set-uid"
apply -P handover
find "$d/root" ! -path '*/var/lib/dpkg/*' ! -path '*/var/lib/dpkg' | sort >"$d/after"
grep -v /var/lib/dpkg "$d/before" | diff - "$d/after" || fail "this is left behind"
