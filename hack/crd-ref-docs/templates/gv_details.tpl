{{- define "gvDetails" }}
All of it is `{{ .GroupVersionString }}`. The kinds are:
{{ $gv := . }}
{{- range .SortedKinds }}
- {{ $gv.TypeForKind . | markdownRenderTypeLink }}
{{- end }}
{{ range .SortedTypes }}
{{- template "type" . }}
{{- end }}
{{- end -}}
