module tally.example.com

go 1.26.0

// k8s.io in the versions of the Kubernetes that the stories run on (tests/cluster/versions.sh)
require (
	k8s.io/api v0.37.2
	k8s.io/apimachinery v0.37.2
	k8s.io/client-go v0.37.2
)
