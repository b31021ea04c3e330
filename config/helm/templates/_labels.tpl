{{- /* By which the Pods are found. They can not be changed later. */ -}}
{{- define "clustercredential-operator.selector" -}}
app.kubernetes.io/name: {{ include "clustercredential-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
control-plane: controller-manager
{{- end -}}

{{- define "clustercredential-operator.ownLabels" -}}
app.kubernetes.io/name: {{ include "clustercredential-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end -}}

{{- /* The labels of an object: ours, commonLabels, and more that it has. Ours win, and none is written twice. */ -}}
{{- define "clustercredential-operator.labels" -}}
{{- $more := .more | default dict -}}
{{- merge (include "clustercredential-operator.ownLabels" .root | fromYaml) $more .root.Values.commonLabels | toYaml -}}
{{- end -}}

{{- /* Those of the Pods. They say no version, so that a chart that differs in nothing else restarts none. */ -}}
{{- define "clustercredential-operator.podLabels" -}}
{{- merge (include "clustercredential-operator.selector" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml -}}
{{- end -}}

{{- /* The metadata of an object: of a name, with labels, and of a namespace unless it has none. */ -}}
{{- define "clustercredential-operator.metadata" -}}
name: {{ .name | default (include "clustercredential-operator.fullname" .root) | quote }}
{{- if not .clusterScoped }}
namespace: {{ .namespace | default .root.Release.Namespace | quote }}
{{- end }}
labels:
  {{- include "clustercredential-operator.labels" (dict "root" .root "more" .labels) | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
