package main

// addHealth describes what says whether the server works; grpc.health.v1 has no
// proto here.
func (d *document) addHealth(s *schemas) {
	const service = "Health"
	s.made["HealthCheckRequest"] = &schema{Type: "object", AdditionalProperties: false, Properties: properties{
		{"service", &schema{Type: "string", Description: "Name of a service, for example weir.admin.v1.KeyService; empty: the server."}},
	}}
	s.made["HealthCheckResponse"] = &schema{Type: "object", Properties: properties{
		{"status", &schema{Type: "string", Enum: []string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"}}},
	}}
	d.Tags = append(d.Tags, tag{service, "Health needs no login."})
	d.Paths["/grpc.health.v1.Health/Check"] = pathItem{Post: &operation{
		OperationID: "Health_Check", Tags: []string{service}, Security: noLogin, Parameters: everywhere,
		Description: "SERVING while Postgres answers. A service that is not here is not_found.",
		RequestBody: &body{true, inJSON(&schema{Ref: refTo("HealthCheckRequest")})},
		Responses: map[string]response{
			"200":     {Description: "Known.", Content: inJSON(&schema{Ref: refTo("HealthCheckResponse")})},
			"default": {Ref: "#/components/responses/Error"},
		},
	}}
	text := map[string]mediaType{"text/plain": {Schema: &schema{Type: "string"}}}
	d.Paths["/healthz"] = pathItem{Get: &operation{
		OperationID: "healthz", Tags: []string{service}, Security: noLogin, Description: "For load balancers.",
		Responses: map[string]response{
			"200": {Description: "Postgres answers.", Content: text},
			"503": {Description: "Postgres does not answer.", Content: text},
		},
	}}
}
