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

{{- /* Files of .Values.secretName that a process with these roles needs, and the variables that name them. */}}
{{- define "weir.files" -}}
postgres-url: WEIR_POSTGRES_URL_FILE
{{- if has "api" . }}
clickhouse-report-url: WEIR_CLICKHOUSE_REPORT_URL_FILE
oidc-client-secret: WEIR_OIDC_CLIENT_SECRET_FILE
operator-token: WEIR_OPERATOR_TOKEN_FILE
{{- end }}
{{- if has "ingest" . }}
clickhouse-url: WEIR_CLICKHOUSE_URL_FILE
{{- end }}
{{- end }}
