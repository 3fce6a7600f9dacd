package rpc_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/emptypb"
)

func TestUnknownCalls(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	cases := []struct{ name, path, reason, message string }{
		{"method", "/weir.admin.v1.ProjectService/CreateProjct", "method_unknown",
			`service weir.admin.v1.ProjectService has no method "CreateProjct"; did you mean CreateProject? it has CreateProject,`},
		{"deeper_path", "/weir.admin.v1.ProjectService/CreateProject/x", "method_unknown", `has no method "CreateProject/x"`},
		{"service", "/weir.admin.v1.ProjectsService/Create", "service_unknown",
			`this server has no service "weir.admin.v1.ProjectsService"; did you mean weir.admin.v1.ProjectService? it has `},
		{"service_of_another", "/grpc.other.v1.Thing/Do", "service_unknown", `no service "grpc.other.v1.Thing"; it has `},
	}
	protocols := map[string]connect.ClientOption{
		"connect": connect.WithClientOptions(), "json": connect.WithProtoJSON(), "grpc": connect.WithGRPC(), "grpc_web": connect.WithGRPCWeb(),
	}
	for _, c := range cases {
		for protocol, option := range protocols {
			t.Run(c.name+"_"+protocol, func(t *testing.T) {
				client := connect.NewClient[emptypb.Empty, emptypb.Empty](in.server.Client(), in.server.URL+c.path, option)
				err := refused(t, connect.CodeUnimplemented, func(ctx context.Context, r *connect.Request[emptypb.Empty]) (*connect.Response[emptypb.Empty], error) {
					return client.CallUnary(ctx, r)
				}, &emptypb.Empty{})
				same(t, reason(t, err), c.reason)
				if !strings.Contains(err.Message(), c.message) {
					t.Errorf("got %s", err.Message())
				}
			})
		}
	}
	t.Run("on_the_wire", func(t *testing.T) {
		got := in.send(n, http.MethodPost, "ProjectService/Nothing", strings.NewReader(`{}`))
		if got.status != http.StatusNotImplemented || got.Code != "unimplemented" || got.header.Get("X-Request-Id") == "" {
			t.Errorf("got %d %v %s", got.status, got.header, got.body)
		}
	})
}

func TestNotServedThisWay(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	t.Run("get", func(t *testing.T) {
		got := in.send(n, http.MethodGet, "ProjectService/CreateProject", nil)
		same(t, got.status, http.StatusMethodNotAllowed)
		same(t, got.header.Get("Allow"), "POST")
		if !strings.HasPrefix(got.Message, "GET is not served here, but POST: send JSON with -H 'Content-Type: application/json'") {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("get_of_what_can_be_got", func(t *testing.T) {
		got := in.send(n, http.MethodGet, "SessionService/WhoAmI", nil)
		same(t, got.status, http.StatusUnsupportedMediaType)
		if !strings.Contains(got.Message, "encoding=json and message=") {
			t.Errorf("got %s", got.body)
		}
		same(t, in.send(n, http.MethodGet, "SessionService/WhoAmI?encoding=json&message=%7B%7D", nil).status, http.StatusOK)
	})
	t.Run("head", func(t *testing.T) {
		got := in.send(n, http.MethodHead, "ProjectService/CreateProject", nil)
		same(t, got.status, http.StatusMethodNotAllowed)
	})
	t.Run("curl_without_a_content_type", func(t *testing.T) {
		got := in.send(n, http.MethodPost, "ProjectService/CreateProject", strings.NewReader(`{}`), "Content-Type", "application/x-www-form-urlencoded")
		same(t, got.status, http.StatusUnsupportedMediaType)
		if !strings.Contains(got.header.Get("Accept-Post"), "application/json") ||
			!strings.HasPrefix(got.Message, `Content-Type "application/x-www-form-urlencoded" is not served here: send JSON`) {
			t.Errorf("got %v %s", got.header, got.body)
		}
	})
}

func TestConnectHeaders(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	cases := []struct {
		name, header, value, code string
	}{
		{"version", "Connect-Protocol-Version", "1", ""},
		{"no_version", "Connect-Protocol-Version", "", ""},
		{"odd_version", "Connect-Protocol-Version", "2", "invalid_argument"},
		{"timeout", "Connect-Timeout-Ms", "5000", ""},
		{"timeout_over", "Connect-Timeout-Ms", "0", "deadline_exceeded"},
		{"timeout_of_words", "Connect-Timeout-Ms", "soon", "invalid_argument"},
		{"negative_timeout", "Connect-Timeout-Ms", "-1", "invalid_argument"},
		{"endless_timeout", "Connect-Timeout-Ms", "12345678901", "invalid_argument"},
		{"charset", "Content-Type", "application/json; charset=UTF-8", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := in.send(n, http.MethodPost, "SessionService/WhoAmI", strings.NewReader(`{}`), c.header, c.value)
			if got.Code != c.code || (c.code == "") != (got.status == http.StatusOK) || strings.Contains(got.body, "strconv") {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	t.Run("kept_and_logged", func(t *testing.T) {
		got := in.send(n, http.MethodPost, "SessionService/WhoAmI", strings.NewReader(`{}`), "X-Request-Id", "ci-4711")
		same(t, got.header.Get("X-Request-Id"), "ci-4711")
		if !strings.Contains(in.logged("ci-4711"), "code=ok") {
			t.Errorf("log: %s", in.logs)
		}
	})
	t.Run("replaced", func(t *testing.T) {
		got := in.send(n, http.MethodPost, "SessionService/WhoAmI", strings.NewReader(`{}`), "X-Request-Id", "a b")
		if id := got.header.Get("X-Request-Id"); len(id) != 16 || !strings.Contains(in.logged(id), "code=ok") {
			t.Errorf("id %q", id)
		}
	})
	t.Run("of_an_internal_error", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), in.url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), `ALTER TABLE project RENAME TO elsewhere`); err != nil {
			t.Fatal(err)
		}
		got := in.send(n, http.MethodPost, "ProjectService/ListProjects", strings.NewReader(`{}`), "X-Request-Id", "ci-4712")
		same(t, got.Message, "internal error (reference ci-4712)")
		same(t, got.header.Get("X-Request-Id"), "ci-4712")
	})
}
