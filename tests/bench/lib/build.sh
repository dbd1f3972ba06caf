# Sourced by the benches' scripts: what they build, in Release mode in $BUILD (`build-bench/` of the tree, unless set).
BUILD=${BUILD:-$top/build-bench}
build_here() { # NAME TARGET... : what the compiler says stays in $BUILD/NAME.log, and is shown if it fails
  local name=$1; shift
  mkdir -p "$BUILD"
  { cmake -S "$top" -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$BUILD" "$@"; } >"$BUILD/$name.log" 2>&1 ||
    { tail -30 "$BUILD/$name.log" >&2; exit 1; }
}
