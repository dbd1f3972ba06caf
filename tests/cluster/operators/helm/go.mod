// No operator, but built the same way: Helm, for the chart in deploy/helm.
module handover.test/helm

go 1.24.0

tool helm.sh/helm/v3/cmd/helm

require helm.sh/helm/v3 v3.19.0
