{{- define "gvList" -}}
# Fields

<!-- Generated from api/v1alpha1 by "make reference". Do not edit. -->

Every field of every kind, as the comments in [the code](../api/v1alpha1) and `kubectl explain` have it. The [API page](api.md) is
shorter, and has annotations, labels and columns too.
{{ range . }}
{{- template "gvDetails" . }}
{{- end }}
{{- end -}}
