{{- /* A flag with its value as a list item, if there is a value. toJson writes numbers as they are, also large ones. */ -}}
{{- define "clustercredential-operator.flag" -}}
{{- $value := .value -}}
{{- if and (not (kindIs "string" $value)) (not (kindIs "invalid" $value)) -}}{{- $value = toJson $value -}}{{- end -}}
{{- if $value }}
- {{ printf "--%s=%s" .name $value | quote }}
{{- end -}}
{{- end -}}

{{- /* The arguments of the container. What is unset is not there: the operator knows its own defaults. */ -}}
{{- define "clustercredential-operator.args" -}}
{{- $metrics := .Values.metrics -}}
{{- if .Values.leaderElection.enabled }}
- "--leader-elect"
{{- end }}
- {{ printf "--health-probe-bind-address=:%d" (int .Values.healthPort) | quote }}
- {{ ternary (printf "--metrics-bind-address=:%d" (int $metrics.port)) "--metrics-bind-address=0" $metrics.enabled | quote }}
{{- if and $metrics.enabled (not $metrics.secure) }}
- "--metrics-secure=false"
{{- end }}
{{- if and $metrics.enabled $metrics.certSecret }}
- "--metrics-cert-dir=/etc/clustercredential/metrics"
{{- end }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
- {{ printf "--ca-bundle=/etc/clustercredential/ca/%s" .Values.caBundle.key | quote }}
{{- end }}
{{- with .Values.class }}
- {{ printf "--class=%s" . | quote }}
{{- end }}
{{- with .Values.namespaces }}
- {{ printf "--namespaces=%s" (join "," .) | quote }}
{{- end }}
{{- $settings := .Values.settings }}
{{- $log := .Values.log }}
{{- range $flag := list
  (dict "name" "max-concurrent-reconciles" "value" $settings.maxConcurrentReconciles)
  (dict "name" "min-issue-interval" "value" $settings.minIssueInterval)
  (dict "name" "verify-interval" "value" $settings.verifyInterval)
  (dict "name" "verify-custom-endpoints" "value" $settings.verifyCustomEndpoints)
  (dict "name" "cluster-interval" "value" $settings.clusterInterval)
  (dict "name" "fleet-hold" "value" $settings.fleetHold)
  (dict "name" "allow-insecure-tls" "value" $settings.allowInsecureTLS)
  (dict "name" "cross-namespace-outputs" "value" $settings.crossNamespaceOutputs)
  (dict "name" "cce-endpoint" "value" $settings.cceEndpoint)
  (dict "name" "iam-endpoint" "value" $settings.iamEndpoint)
  (dict "name" "kube-api-qps" "value" $settings.kubeAPIQPS)
  (dict "name" "kube-api-burst" "value" $settings.kubeAPIBurst)
  (dict "name" "pprof-bind-address" "value" $settings.pprofBindAddress)
  (dict "name" "zap-log-level" "value" $log.level)
  (dict "name" "zap-encoder" "value" $log.encoder)
  (dict "name" "zap-time-encoding" "value" $log.timeEncoding)
  (dict "name" "zap-stacktrace-level" "value" $log.stacktraceLevel)
  (dict "name" "zap-devel" "value" $log.development)
}}
{{- include "clustercredential-operator.flag" $flag }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}
