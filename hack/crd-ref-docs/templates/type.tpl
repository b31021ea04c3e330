{{- define "type" }}
{{- $type := . }}
{{- if markdownShouldRenderType $type }}
## {{ $type.Name }}

{{ template "prose" $type.Doc }}
{{- if $type.IsAlias }} It is a {{ markdownRenderTypeLink $type.UnderlyingType }}.{{ end }}
{{- if $type.References }} It stands in {{ range $i, $reference := $type.SortedReferences }}{{ if $i }}, {{ end }}{{ markdownRenderTypeLink $reference }}{{ end }}.
{{- end }}
{{- with index $type.Markers "kubebuilder:validation:XValidation" }}

What does not fit together is refused, with one of these messages:
{{ range . }}
- {{ template "prose" .Message }}
{{- end }}
{{- end }}
{{ if $type.Members }}
| field | type | what it is |
|---|---|---|
{{- if $type.GVK }}
| `apiVersion` **required** | string | `{{ $type.GVK.Group }}/{{ $type.GVK.Version }}` |
| `kind` **required** | string | `{{ $type.GVK.Kind }}` |
{{- end }}
{{- range $type.Members }}
| `{{ .Name }}`{{ if has "Required: {}" .Validation }} **required**{{ end }} | {{ template "fieldType" .Type }} | {{ template "field" . }} |
{{- end }}
{{ end }}
{{- if $type.EnumValues }}
{{- $told := false }}
{{- range $type.EnumValues }}{{ if .Doc }}{{ $told = true }}{{ end }}{{ end }}
{{- if $told }}
| value | what it is |
|---|---|
{{- range $type.EnumValues }}
| `{{ .Name }}` | {{ template "prose" (regexReplaceAll "^[A-Z][A-Za-z]+(:| is)? " .Doc "") }} |
{{- end }}
{{ else }}
Its values are {{ range $i, $value := $type.EnumValues }}{{ if $i }}, {{ end }}`{{ .Name }}`{{ end }}.
{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* A comment of the code on one line, with nothing in it that Markdown would take for its own. */ -}}
{{- define "prose" -}}
{{ . | trim | replace "\n" " " | replace "|" "\\|" | replace "<" "&lt;" }}
{{- end -}}

{{- /* Types of Kubernetes are well known: their names are enough. */ -}}
{{- define "fieldType" -}}
{{ regexReplaceAll "\\[([A-Za-z]+)\\]\\(https://[^)]*\\)" (markdownRenderType .) "${1}" }}
{{- end -}}

{{- define "field" -}}
{{- if eq .Name "metadata" -}}
name, namespace, labels and annotations, as for every object
{{- else -}}
{{ template "prose" .Doc }}
{{- range index .Markers "kubebuilder:validation:XValidation" }} Else refused: “{{ template "prose" .Message }}”.{{ end -}}
{{- end -}}
{{- end -}}
