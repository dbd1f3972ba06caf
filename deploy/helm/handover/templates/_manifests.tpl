{{/* One of the manifests, each of its objects with the release's namespace and the values. */}}
{{- define "handover.manifest" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $text := $root.Files.Get .file | required (printf "%s is not in the chart" .file) -}}
{{- $text = $text | replace "handover-system" $root.Release.Namespace | replace "TENANT" $values.namespace -}}
{{- range $doc := regexSplit "(?m)^---$" $text -1 -}}
{{- $o := fromYaml $doc -}}
{{- if hasKey $o "Error" }}{{ fail (printf "a manifest is no YAML: %s" $o.Error) }}{{ end -}}
{{- $skip := not $o.kind -}}
{{- if and (not $values.metricsAccount) $o.metadata (hasPrefix "handover-metrics" (get $o.metadata "name")) }}{{ $skip = true }}{{ end -}}
{{- if not $skip -}}
{{- if eq $o.kind "Deployment" }}{{ include "handover.configure" (dict "values" $values "chart" $root.Chart "deployment" $o) }}{{ end -}}
{{- if $values.namespace }}{{ include "handover.tenant" (dict "tenant" $values.namespace "object" $o) }}{{ end }}
---
{{ toYaml $o }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Sets the values in the Deployment. */}}
{{- define "handover.configure" -}}
{{- $v := .values -}}
{{- $spec := .deployment.spec -}}
{{- $pod := $spec.template.spec -}}
{{- $container := index $pod.containers 0 -}}
{{- $_ := set $spec "replicas" $v.replicas -}}
{{- $_ := set $container "image" (printf "%s:%s" $v.image.repository ($v.image.tag | default .chart.AppVersion)) -}}
{{- $_ := set $container "imagePullPolicy" $v.image.pullPolicy -}}
{{- $_ := set $container "resources" $v.resources -}}
{{- $_ := set $pod "terminationGracePeriodSeconds" $v.terminationGracePeriodSeconds -}}
{{- $args := list -}}
{{- range $container.args }}{{ if or $v.metricsAccount (not (hasPrefix "--metrics-account=" .)) }}{{ $args = append $args . }}{{ end }}{{ end -}}
{{- $_ := set $container "args" (concat $args $v.extraArgs) -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "imagePullSecrets" -}}
{{- with get $v $key }}{{ $_ := set $pod $key . }}{{ end -}}
{{- end -}}
{{- $meta := $spec.template.metadata -}}
{{- $_ := set $meta "annotations" (merge (dict) $v.podAnnotations $meta.annotations) -}}
{{- $_ := set $meta "labels" (merge (dict) $meta.labels $v.podLabels) -}}
{{- end -}}

{{/* What deploy/manifests/policy has is of the one installation for all namespaces: that of one namespace has names and labels of its own. */}}
{{- define "handover.tenant" -}}
{{- $o := .object -}}
{{- if has $o.kind (list "PodDisruptionBudget" "NetworkPolicy" "FlowSchema" "PodMonitor") -}}
{{- $_ := set $o.metadata "name" (printf "%s-%s" $o.metadata.name .tenant) -}}
{{- end -}}
{{- if has $o.kind (list "PodDisruptionBudget" "PodMonitor") }}{{ $_ := set $o.spec.selector.matchLabels "app.kubernetes.io/instance" .tenant }}{{ end -}}
{{- if eq $o.kind "NetworkPolicy" }}{{ $_ := set $o.spec.podSelector.matchLabels "app.kubernetes.io/instance" .tenant }}{{ end -}}
{{- if eq $o.kind "FlowSchema" -}}
{{- range $rule := $o.spec.rules }}{{ range $s := $rule.subjects }}{{ $_ := set $s.serviceAccount "name" (printf "handover-%s" $.tenant) }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}
