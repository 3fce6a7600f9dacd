package rpc_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/openapi/openapitest"
)

// documented holds a JSON call to the OpenAPI document: what was accepted is
// allowed by it, and every answer is as it says.
func (f *fuzzer) documented(method protoreflect.MethodDescriptor, status int, asked, answer []byte) {
	if status != http.StatusOK {
		if err := f.schemas.Check("Error", answer); err != nil {
			f.t.Errorf("%s: %v: %.500q", method.Name(), err, answer)
		}
		return
	}
	if err := f.schemas.Check(string(method.Input().Name()), asked); err != nil {
		f.t.Errorf("%s was accepted: %v: %.2000q", method.Name(), err, asked)
	}
	if err := f.schemas.Check(string(method.Output().Name()), answer); err != nil {
		f.t.Errorf("%s answered: %v: %.2000q", method.Name(), err, answer)
	}
}

// What the document refuses, the server refuses.
func TestDocumentedRules(t *testing.T) {
	n, schemas := install(t).tenant("alpha"), openapitest.Compile(t)
	const id = "00000000-0000-4000-8000-000000000001"
	cases := []struct{ name, procedure, body string }{
		{"required", "KeyService/CreateKey", `{"name":"k"}`},
		{"pattern", "KeyService/CreateKey", `{"name":"K!","projectId":"` + id + `"}`},
		{"uuid", "KeyService/GetKey", `{"id":"x"}`},
		{"unknown_field", "KeyService/GetKey", `{"id":"` + id + `","name":"k"}`},
		{"unknown_field_inside", "KeyService/ListKeys", `{"page":{"limit":1}}`},
		{"unknown_enum_value", "ReportService/GetOverview", `{"interval":"INTERVAL_YEAR"}`},
		{"enum_value_that_is_not_allowed", "MemberService/InviteMember", `{"email":"a@b.example","role":"ROLE_UNSPECIFIED"}`},
		{"number_too_large", "KeyService/ListKeys", `{"page":{"size":1001}}`},
		{"string_too_long", "KeyService/RevokeKey", `{"id":"` + id + `","reason":"` + strings.Repeat("x", 501) + `"}`},
		{"too_many_items", "RouteService/CreateRoute", `{"name":"r","targets":[` + strings.Repeat(`{"providerId":"`+id+`","model":"m"},`, 16) + `{"providerId":"` + id + `","model":"m"}]}`},
		{"items_twice", "KeyService/CreateKey", `{"name":"k","projectId":"` + id + `","routeIds":["` + id + `","` + id + `"]}`},
		{"name_in_map", "KeyService/CreateKey", `{"name":"k","projectId":"` + id + `","labels":{"A B":"c"}}`},
		{"value_in_map", "KeyService/CreateKey", `{"name":"k","projectId":"` + id + `","labels":{"a":"` + strings.Repeat("x", 64) + `"}}`},
		{"none_of_a_oneof", "KeyService/ListKeys", `{"asOf":{}}`},
		{"two_of_a_oneof", "KeyService/ListKeys", `{"asOf":{"version":"1","time":"2026-01-01T00:00:00Z"}}`},
		{"two_of_an_operation", "BatchService/Batch", `{"operations":[{"createProject":{"name":"a"},"deleteKey":{"id":"` + id + `"}}]}`},
		{"duration", "KeyService/RotateKey", `{"id":"` + id + `","overlap":"1h"}`},
		{"time", "KeyService/CreateKey", `{"name":"k","projectId":"` + id + `","expiresAt":"tomorrow"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, name, _ := strings.Cut(c.procedure, "/")
			if err := schemas.Check(name+"Request", []byte(c.body)); err == nil {
				t.Error("the document allows it")
			}
			got := n.in.send(n, http.MethodPost, c.procedure, strings.NewReader(c.body))
			same(t, got.Code, "invalid_argument")
			if strings.Contains(got.Message, "in list") {
				t.Errorf("%q has numbers for names", got.Message)
			}
			if err := schemas.Check("Error", []byte(got.body)); err != nil {
				t.Error(err)
			}
		})
	}
}
