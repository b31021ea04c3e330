{{- /* What goes into a label or is a part of a name. */ -}}
{{- define "clustercredential-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 55 | trimSuffix "-" -}}
{{- end -}}

{{- /* The name of everything. 55 characters leave room for "-metrics" in the name of a Service, which takes 63. */ -}}
{{- define "clustercredential-operator.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := printf "%s-%s" .Release.Name $name -}}
{{- if contains $name .Release.Name -}}{{- $full = .Release.Name -}}{{- end -}}
{{- .Values.fullnameOverride | default $full | trunc 55 | trimSuffix "-" -}}
{{- end -}}

{{- define "clustercredential-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "clustercredential-operator.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name: with serviceAccount.create false, write which one is there" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "clustercredential-operator.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- $image.repository }}{{ with $image.tag }}:{{ . }}{{ end }}@{{ $image.digest -}}
{{- else -}}
{{- /* A tag takes no "+". */ -}}
{{- $image.repository }}:{{ $image.tag | default (.Chart.AppVersion | replace "+" "_") -}}
{{- end -}}
{{- end -}}

{{- /* How many Pods. More than one that do not elect a leader would ask for the same certificates. */ -}}
{{- define "clustercredential-operator.replicas" -}}
{{- $elects := .Values.leaderElection.enabled -}}
{{- if kindIs "invalid" .Values.replicas -}}
{{- ternary 2 1 $elects -}}
{{- else if and (gt (int .Values.replicas) 1) (not $elects) -}}
{{- fail "replicas: without leaderElection.enabled write 1, or leave it unset" -}}
{{- else -}}
{{- int .Values.replicas -}}
{{- end -}}
{{- end -}}
