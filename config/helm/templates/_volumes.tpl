{{- /* The volumes of the Pod, if there are any. */ -}}
{{- define "clustercredential-operator.volumes" -}}
{{- with .Values.caBundle.configMap }}
- name: ca-bundle
  configMap:
    name: {{ . | quote }}
{{- end }}
{{- with .Values.caBundle.secret }}
- name: ca-bundle
  secret:
    secretName: {{ . | quote }}
{{- end }}
{{- if and .Values.metrics.enabled .Values.metrics.certSecret }}
- name: metrics-certificate
  secret:
    secretName: {{ .Values.metrics.certSecret | quote }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "clustercredential-operator.volumeMounts" -}}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
- name: ca-bundle
  mountPath: /etc/clustercredential/ca
  readOnly: true
{{- end }}
{{- if and .Values.metrics.enabled .Values.metrics.certSecret }}
- name: metrics-certificate
  mountPath: /etc/clustercredential/metrics
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}
