{{- /* The rules of a role of config/, which "make manifests" copies into files/. */ -}}
{{- define "clustercredential-operator.rules" -}}
rules:
{{ (.root.Files.Get (printf "files/%s" .file) | fromYaml).rules | toYaml }}
{{- end -}}

{{- /* A binding of a role to the operator. */ -}}
{{- define "clustercredential-operator.binding" -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name | quote }}
subjects:
- kind: ServiceAccount
  name: {{ include "clustercredential-operator.serviceAccountName" .root | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
{{- end -}}
