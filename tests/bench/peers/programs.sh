# The programs of the peers bench: our own small ones, and the peers', each from its module as it is published, with the versions
# and replacements of its own go.mod. Sourced by peers.sh. Sets why_not[NAME] to the reason where one cannot be had.
declare -A why_not=()

peer_program() ( # MODULE VERSION GO PACKAGE NAME CRDS : in a process of its own; where that cannot be, says why in one line
  set -e
  program=$CACHE/$5 log=$(mktemp) src=$(mktemp -d)
  trap 'rm -rf "$src" "$log"' EXIT
  mkdir -p "$CACHE"; exec 9>"$CACHE/$5.lock"; flock 9 # another run may be building it
  [ ! -x "$program-$2" ] || { ln -sf "$5-$2" "$program"; exit 0; }
  find_go "$3" || exit 1
  export GOFLAGS=-buildvcs=false GO111MODULE=on CGO_ENABLED=0 GOTOOLCHAIN=local
  dir=$("$go" mod download -json "$1@v$2" 2>"$log" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  [ -d "$dir" ] || { echo "the module $1 v$2 cannot be had"; exit 1; }
  say "building $1 v$2 (about 6 minutes on 2 cores)"
  cp -r "$dir/." "$src"; chmod -R u+w "$src"
  (cd "$src" && "$go" build -ldflags "-s -w" -o "$program-$2.new" "$4") >"$log" 2>&1 9>&- ||
    { echo "$1 v$2 cannot be built: $(grep -vE '^(#|go: (downloading|finding))' "$log" | tail -1)"; exit 1; }
  mkdir -p "$program-crds"; cp "$src/"$6 "$program-crds/"; rm -f "$program-crds/kustomization.yaml"
  mv "$program-$2.new" "$program-$2"; ln -sf "$5-$2" "$program"
)

peers_programs() {
  local name why go
  . "$top/tests/go.sh"
  find_go 1.26 || exit 1 # nor is there a Kubernetes without it
  go_here "$here/peers/side" "$BUILD/peers_side" || exit 1
  for name in $WHO; do
    case $name in
      informer | manager) why=$(go_here "$here/peers/$name" "$BUILD/peers_$name" 2>&1) ;;
      argo) why=$(peer_program github.com/argoproj/argo-rollouts 1.10.2 1.26.10 ./cmd/rollouts-controller rollouts-controller 'manifests/crds/*.yaml' 2>&3) ;;
      flagger) why=$(peer_program github.com/fluxcd/flagger 1.36.1 1.21 ./cmd/flagger flagger artifacts/flagger/crd.yaml 2>&3) ;;
      *) true ;;
    esac 3>&2 || why_not[$name]=$why
  done
}
