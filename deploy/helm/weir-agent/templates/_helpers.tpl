{{- define "weir.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "weir.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "weir.labels" -}}
{{ include "weir.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "weir.image" -}}
{{- with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}{{ end }}
{{- end }}

{{- /* Secrets that are mounted: name of the volume, where, and which. */}}
{{- define "weir.secrets" -}}
{{- with .Values.enrolment.secretName }}
enrolment: {path: /run/weir/enrolment, secret: {{ . }}}
{{- end }}
{{- with .Values.credentials.secretName }}
credentials: {path: /etc/weir/secrets, secret: {{ . }}}
{{- end }}
{{- with .Values.gatewayKey.secretName }}
gateway-key: {path: /run/weir/gateway-key, secret: {{ . }}}
{{- end }}
{{- if .Values.kafka.sasl.mechanism }}
kafka: {path: /run/weir/kafka, secret: {{ required "kafka.sasl.secretName: the Secret with the password" .Values.kafka.sasl.secretName }}}
{{- end }}
{{- end }}
