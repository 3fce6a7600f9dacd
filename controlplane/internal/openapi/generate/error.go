package main

// errorResponse is Connect's: https://connectrpc.com/docs/protocol/#error-end-stream
var errorResponse = response{
	Description: "Not done. The status goes with the code: 400 for invalid_argument and failed_precondition, 401 unauthenticated, 403 permission_denied, " +
		"404 not_found, 409 already_exists and aborted, 415 for a body that is no JSON, 429 resource_exhausted, 499 canceled, 500 internal and unknown, " +
		"501 unimplemented, 503 unavailable, 504 deadline_exceeded.",
	Headers: map[string]header{
		"Retry-After":  {"Seconds after which to come back, with 429.", &schema{Type: "string"}},
		"X-Request-Id": {"The request's, or one that the server made.", &schema{Type: "string"}},
	},
	Content: inJSON(&schema{Ref: "#/components/schemas/Error"}),
}

var errorSchema = &schema{
	Type: "object", Required: []string{"code"},
	Properties: properties{
		{"code", &schema{Type: "string", Enum: []string{
			"canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists", "permission_denied", "resource_exhausted",
			"failed_precondition", "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss", "unauthenticated",
		}}},
		{"message", &schema{Type: "string", Description: "What happened, why, and what to do next."}},
		{"details", &schema{Type: "array", Items: &schema{
			Type: "object", Required: []string{"type", "value"},
			Properties: properties{
				{"type", &schema{Type: "string", Description: "google.rpc.ErrorInfo, with a stable reason; google.rpc.BadRequest, with the fields; google.rpc.RetryInfo."}},
				{"value", &schema{Type: "string", Description: "The detail in protobuf's binary form, in base64 without padding."}},
				{"debug", &schema{Description: "The detail in JSON, for people."}},
			},
		}}},
	},
}
