# Programs of others, and peers, from their Go modules: no go.sum and no copy of theirs is in the tree. Sourced.
#   find_go AT-LEAST            sets `go` to one that is new enough, if need be the toolchain as a module, which Debian's Go can fetch
#   go_program FOLDER PROGRAM [PACKAGE]   builds the module in FOLDER, or the program of another module that its go.mod names as `tool`; where
#                               that cannot be, says why in one line and fails
# What is built and fetched stays in GOCACHE and the module cache, both outside the tree. GO_VERSION: the toolchain to fetch; where that
# is too old for what is built, GO_NEWER_VERSION.
GO_VERSION=${GO_VERSION:-1.26.8} GO_NEWER_VERSION=${GO_NEWER_VERSION:-1.27.3}
export GOCACHE=${GOCACHE:-${HANDOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/handover-kubernetes}/go-build}

not_older() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]; } # THAN VERSION
find_go() { # AT-LEAST, as 1.26 or 1.26.10
  local have dir arch fetch=$GO_VERSION
  for go in go /usr/local/go/bin/go /usr/lib/go/bin/go; do
    have=$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null) || continue
    not_older "go$1" "$have" && return 0
  done
  not_older "$1" "$fetch" || fetch=$GO_NEWER_VERSION
  arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
  for go in go /usr/lib/go/bin/go; do
    dir=$(GO111MODULE=on GOFLAGS= "$go" mod download -json "golang.org/toolchain@v0.0.1-go$fetch.linux-$arch" 2>/dev/null | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') || continue
    [ -d "$dir" ] || continue
    chmod -R u+w,a+x "$dir/bin" "$dir/pkg/tool" # a module has no modes
    go=$dir/bin/go; return 0
  done
  echo "there is no Go $1 here (Debian: golang-go), and its module golang.org/toolchain cannot be had" >&2; return 1
}

go_program() { # FOLDER PROGRAM [PACKAGE]: its tests become PROGRAM.test
  local go log src rc=0; log=$(mktemp)
  find_go "$(sed -nE 's/^go ([0-9]+\.[0-9]+).*/\1/p' "$1/go.mod")" || return
  src=$(mktemp -d); cp -r "$1/." "$src"
  (cd "$src" && export GOFLAGS=-buildvcs=false GO111MODULE=on GOTOOLCHAIN=local CGO_ENABLED=0 && "$go" mod tidy &&
    "$go" build -ldflags "-s -w" -o "$2" "$(sed -n 's/^tool //p' go.mod | grep . || echo .)" &&
    { [ -z "${3:-}" ] || "$go" test -c -o "$2.test" "$3"; }) >"$log" 2>&1 || rc=$?
  [ $rc = 0 ] || echo "the Go module of $(basename "$1") cannot be built: $(grep -vE '^(#|go: (downloading|finding))| imports$' "$log" | head -1 | sed "s/^[[:space:]]*//")" >&2
  rm -rf "$src" "$log"; return $rc
}
