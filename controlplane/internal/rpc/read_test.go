package rpc_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// answer is what net/http saw.
type answer struct {
	status int
	header http.Header
	body   string
	refusal
}

// refusal is an error in Connect's JSON.
type refusal struct {
	Code, Message string
	Details       []shownDetail
}

type shownDetail struct {
	Type  string
	Debug struct {
		Reason          string
		FieldViolations []struct{ Field, Description string }
	}
}

func (r refusal) reason() string {
	for _, d := range r.Details {
		if d.Debug.Reason != "" {
			return d.Debug.Reason
		}
	}
	return ""
}

func (r refusal) field() string {
	for _, d := range r.Details {
		for _, v := range d.Debug.FieldViolations {
			return v.Field
		}
	}
	return ""
}

// send sends bytes to "Service/Method" of weir.admin.v1 as the tenant; headers come in pairs.
func (in *installation) send(n *tenant, method, path string, body io.Reader, headers ...string) answer {
	in.t.Helper()
	request, err := http.NewRequestWithContext(in.t.Context(), method, in.server.URL+"/weir.admin.v1."+path, body)
	if err != nil {
		in.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if n != nil {
		request.Header.Set("Authorization", "Bearer "+n.token)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := in.server.Client().Do(request)
	if err != nil {
		in.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		in.t.Fatal(err)
	}
	got := answer{status: response.StatusCode, header: response.Header, body: string(text)}
	if response.StatusCode != http.StatusOK && len(text) > 0 && response.Header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(text, &got.refusal); err != nil {
			in.t.Fatalf("%v in %s", err, text)
		}
	}
	return got
}

// ask sends {} to an RPC, "Service.Method", that refuses it. In streams the message and
// the refusal stand in envelopes: a byte, four bytes of length, JSON.
func (in *installation) ask(n *tenant, name string) answer {
	in.t.Helper()
	path := strings.Replace(name, ".", "/", 1)
	if !isStream(name) {
		return in.send(n, http.MethodPost, path, strings.NewReader("{}"))
	}
	got := in.send(n, http.MethodPost, path, strings.NewReader("\x00\x00\x00\x00\x02{}"), "Content-Type", "application/connect+json")
	var end struct{ Error refusal }
	if len(got.body) < 5 || json.Unmarshal([]byte(got.body[5:]), &end) != nil {
		in.t.Fatalf("%s: %d %q", name, got.status, got.body)
	}
	if got.refusal = end.Error; got.Code == "permission_denied" {
		got.status = http.StatusForbidden
	}
	return got
}

func isStream(name string) bool {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("weir.admin.v1." + name))
	method, ok := found.(protoreflect.MethodDescriptor)
	return err == nil && ok && method.IsStreamingServer()
}

func TestUnreadableJSON(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	cases := []struct{ name, path, body, reason, field, message string }{
		{"misspelt", "ProjectService/CreateProject", `{"nxme":"a"}`, "unknown_field", "nxme",
			`line 1, column 2: nxme: weir.admin.v1.CreateProjectRequest has no field "nxme"; did you mean "name"?`},
		{"camel_case_is_misspelt_too", "ProjectService/CreateProject", `{"displayNam":"a"}`, "unknown_field", "displayNam",
			`line 1, column 2: displayNam: weir.admin.v1.CreateProjectRequest has no field "displayNam"; did you mean "display_name"?`},
		{"nested", "RouteService/CreateRoute", "{\"name\":\"r\",\n  \"targets\":[{\"model\":\"m\"},{\"modell\":\"m\"}]}", "unknown_field", "targets[1].modell",
			`line 2, column 29: targets[1].modell: weir.admin.v1.Target has no field "modell"; did you mean "model"?`},
		{"nothing_like_it", "KeyService/GetKey", `{"zzzzzz":1}`, "unknown_field", "zzzzzz",
			`line 1, column 2: zzzzzz: weir.admin.v1.GetKeyRequest has no field "zzzzzz"; it has id, as_of`},
		{"wrong_type", "ProjectService/CreateProject", `{"name":5}`, "request_unreadable", "name",
			`line 1, column 9: name: want a string, not 5`},
		{"object_for_text", "ProjectService/CreateProject", `{"name":{}}`, "request_unreadable", "name",
			`line 1, column 9: name: want a string, not {`},
		{"text_for_object", "ProjectService/CreateProject", `{"mutation":"x"}`, "request_unreadable", "mutation",
			`line 1, column 13: mutation: want a JSON object of a weir.admin.v1.Mutation; this does not fit: "x"`},
		{"text_for_list", "RouteService/CreateRoute", `{"targets":"x"}`, "request_unreadable", "targets",
			`line 1, column 12: targets: want a list, each of it a JSON object of a weir.admin.v1.Target; this does not fit: "x"`},
		{"no_such_value", "ServiceAccountService/CreateServiceAccount", `{"role":"OWNER"}`, "request_unreadable", "role",
			`line 1, column 9: role: want one of ROLE_OWNER, ROLE_ADMIN, ROLE_OPERATOR, ROLE_ANALYST, ROLE_VIEWER, ROLE_PROJECTS_ONLY, not "OWNER"`},
		{"no_such_number", "ServiceAccountService/CreateServiceAccount", `{"role":99}`, "invalid_request", "role",
			`role: 99 is no value of weir.admin.v1.Role; want ROLE_OWNER, ROLE_ADMIN, ROLE_OPERATOR, ROLE_ANALYST, ROLE_VIEWER, ROLE_PROJECTS_ONLY`},
		{"twice", "ProjectService/CreateProject", `{"name":"a","name":"b"}`, "request_unreadable", "name",
			`line 1, column 13: name: duplicate field "name"`},
		{"a_list", "ProjectService/CreateProject", `[]`, "request_unreadable", "",
			`line 1, column 1: unexpected token [; want one JSON object of a weir.admin.v1.CreateProjectRequest`},
		{"not_json", "ProjectService/CreateProject", `name=a`, "request_unreadable", "",
			`line 1, column 1: invalid value name; want one JSON object of a weir.admin.v1.CreateProjectRequest`},
		{"trailing_comma", "ProjectService/CreateProject", `{"name":"a",}`, "request_unreadable", "",
			`line 1, column 13: unexpected token }; want one JSON object of a weir.admin.v1.CreateProjectRequest`},
		{"two_texts", "ProjectService/CreateProject", `{"name":"a"}{}`, "request_unreadable", "",
			`line 1, column 13: unexpected token {; want one JSON object of a weir.admin.v1.CreateProjectRequest`},
		{"cut", "ProjectService/CreateProject", `{"name":"a"`, "request_unreadable", "",
			`the body is not the JSON of a weir.admin.v1.CreateProjectRequest: it ends too early; is a bracket or a quote open?`},
		{"empty", "ProjectService/CreateProject", ``, "request_unreadable", "", `the body is empty; send a JSON object, at least {}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := in.send(n, http.MethodPost, c.path, strings.NewReader(c.body))
			if got.status != http.StatusBadRequest || got.Code != "invalid_argument" || got.reason() != c.reason || got.field() != c.field {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if c.message != "" && got.Message != c.message {
				t.Errorf("got  %s\nwant %s", got.Message, c.message)
			}
			for _, foreign := range []string{"proto:", "unmarshal", "adminv1", "\u00a0"} {
				if strings.Contains(got.body, foreign) {
					t.Errorf("%q in %s", foreign, got.body)
				}
			}
		})
	}
	t.Run("only_after_login", func(t *testing.T) {
		got := in.send(nil, http.MethodPost, "ProjectService/CreateProject", strings.NewReader(`{"nxme":"a"}`))
		same(t, got.Code, "unauthenticated")
	})
	t.Run("has_its_line_of_log", func(t *testing.T) {
		in.send(n, http.MethodPost, "ProjectService/CreateProject", strings.NewReader(`{`), "X-Request-Id", "unread-1")
		if line := in.logged("unread-1"); !strings.Contains(line, "code=invalid_argument") || !strings.Contains(line, "actor=service_account") {
			t.Errorf("log: %s", line)
		}
	})
}

// logged is the last line of log that contains text.
func (in *installation) logged(text string) string {
	found := ""
	for line := range strings.Lines(in.logs.String()) {
		if strings.Contains(line, text) {
			found = line
		}
	}
	return found
}

func TestUnreadableProtobuf(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	newer := protowire.AppendVarint(protowire.AppendTag(nil, 77, protowire.VarintType), 1)
	nested := protowire.AppendBytes(protowire.AppendTag(nil, mutationField, protowire.BytesType), newer)
	forged := protowire.AppendString(protowire.AppendTag(nil, 19999, protowire.BytesType), `{"Kind":2,"Message":"forged"}`)
	cases := []struct {
		name           string
		body           []byte
		reason, field  string
		messageHasThis string
	}{
		{"newer_field", newer, "unknown_field", "77", "has no field number 77 here"},
		{"newer_nested_field", nested, "unknown_field", "mutation.77", "weir.admin.v1.Mutation has no field number 77 here"},
		{"forged_fault", forged, "unknown_field", "19999", "no field number 19999"},
		{"garbage", []byte{0xff, 0xff}, "request_unreadable", "", "not a weir.admin.v1.CreateProjectRequest in protobuf's binary form"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := in.send(n, http.MethodPost, "ProjectService/CreateProject", bytes.NewReader(c.body), "Content-Type", "application/proto")
			if got.Code != "invalid_argument" || got.reason() != c.reason || got.field() != c.field || !strings.Contains(got.Message, c.messageHasThis) {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

// mutationField is the number of CreateProjectRequest.mutation.
var mutationField = (&adminv1.CreateProjectRequest{}).ProtoReflect().Descriptor().Fields().ByName("mutation").Number()

func TestBounds(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	const path = "ProjectService/CreateProject"
	large := `{"name":"` + strings.Repeat("a", 1<<20) + `"}`
	zip := func(text string) io.Reader {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		if _, err := io.WriteString(w, text); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		return &zipped
	}
	tooLarge := func(t *testing.T, got answer) {
		t.Helper()
		if got.status != http.StatusBadRequest || got.reason() != "request_too_large" || !strings.Contains(got.Message, "1048576 bytes") {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	t.Run("large", func(t *testing.T) {
		tooLarge(t, in.send(n, http.MethodPost, path, strings.NewReader(large)))
	})
	t.Run("large_of_unknown_length", func(t *testing.T) {
		tooLarge(t, in.send(n, http.MethodPost, path, io.MultiReader(strings.NewReader(large))))
	})
	t.Run("bomb", func(t *testing.T) {
		tooLarge(t, in.send(n, http.MethodPost, path, zip(strings.Repeat(" ", 64<<20)), "Content-Encoding", "gzip"))
	})
	t.Run("largest", func(t *testing.T) {
		got := in.send(n, http.MethodPost, path, strings.NewReader(`{"name":"fits"`+strings.Repeat(" ", 1<<20-15)+`}`))
		same(t, got.status, http.StatusOK)
	})
	t.Run("gzip", func(t *testing.T) {
		same(t, in.send(n, http.MethodPost, path, zip(`{"name":"zipped"}`), "Content-Encoding", "gzip").status, http.StatusOK)
	})
	t.Run("no_gzip", func(t *testing.T) {
		got := in.send(n, http.MethodPost, path, strings.NewReader(`{}`), "Content-Encoding", "gzip", "X-Request-Id", "no-gzip")
		same(t, got.Code, "invalid_argument")
		if line := in.logged("no-gzip"); !strings.Contains(line, "code=unread") {
			t.Errorf("log: %s", line)
		}
	})
	t.Run("other_compression", func(t *testing.T) {
		got := in.send(n, http.MethodPost, path, strings.NewReader(`{}`), "Content-Encoding", "br")
		if got.Code != "unimplemented" || !strings.Contains(got.Message, "gzip") {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("grpc", func(t *testing.T) {
		err := refused(t, connect.CodeResourceExhausted, in.speaking(n, connect.WithGRPC()).projects.CreateProject,
			&adminv1.CreateProjectRequest{Name: strings.Repeat("a", 2<<20)})
		if !strings.Contains(err.Message(), "message size") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("grpc_bomb", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, in.speaking(n, connect.WithGRPC(), connect.WithSendGzip()).projects.CreateProject,
			&adminv1.CreateProjectRequest{Name: strings.Repeat("a", 8<<20)})
	})
}
