package rpc_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirhq/weir/controlplane/internal/rpc"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestTooManyCalls(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	in := installLimited(t, rpc.NewLimits(rpc.Rate{PerSecond: 0.5, Burst: 50}, rpc.Rate{PerSecond: 0.1, Burst: 2}, func() time.Time { return now }))
	n := in.tenant("alpha")
	until429 := func(n *tenant) answer {
		for range 60 {
			if got := in.send(n, http.MethodPost, "SessionService/WhoAmI", strings.NewReader(`{}`)); got.status == http.StatusTooManyRequests {
				return got
			}
		}
		t.Fatal("nobody is held back")
		return answer{}
	}
	t.Run("principal", func(t *testing.T) {
		got := until429(n)
		same(t, got.Code, "resource_exhausted")
		same(t, got.reason(), "too_many_calls")
		same(t, got.header.Get("Retry-After"), "2")
		if !slices.ContainsFunc(got.Details, func(d shownDetail) bool { return d.Type == "google.rpc.RetryInfo" }) {
			t.Errorf("got %s", got.body)
		}
	})
	t.Run("in_grpc", func(t *testing.T) {
		err := refused(t, connect.CodeResourceExhausted, in.speaking(n, connect.WithGRPC()).sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		same(t, err.Meta().Get("Retry-After"), "2")
	})
	t.Run("stranger", func(t *testing.T) {
		same(t, in.send(nil, http.MethodPost, "SessionService/WhoAmI", strings.NewReader(`{}`)).status, http.StatusUnauthorized)
		same(t, until429(nil).header.Get("Retry-After"), "10")
	})
	t.Run("others_go_on", func(t *testing.T) {
		call(t, in.as(operatorToken).sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	})
}

func TestHealth(t *testing.T) {
	in := install(t)
	// On the wire, the messages of Health look like these.
	ask := func(option connect.ClientOption, service string) (int32, error) {
		client := connect.NewClient[wrapperspb.StringValue, wrapperspb.Int32Value](in.server.Client(), in.server.URL+"/grpc.health.v1.Health/Check", option)
		got, err := client.CallUnary(t.Context(), connect.NewRequest(wrapperspb.String(service)))
		if err != nil {
			return 0, err
		}
		return got.Msg.Value, nil
	}
	for _, service := range []string{"", "weir.admin.v1.KeyService", "grpc.health.v1.Health"} {
		for _, option := range []connect.ClientOption{connect.WithGRPC(), connect.WithGRPCWeb()} {
			if status, err := ask(option, service); err != nil || status != 1 {
				t.Errorf("%q: got %d, %v", service, status, err)
			}
		}
	}
	if _, err := ask(connect.WithGRPC(), "weir.admin.v1.NoService"); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("got %v", err)
	}
	t.Run("json", func(t *testing.T) {
		response, err := in.server.Client().Post(in.server.URL+"/grpc.health.v1.Health/Check", "application/json", strings.NewReader(`{}`)) //nolint:noctx // of the test's own server
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var body bytes.Buffer
		if _, err := body.ReadFrom(response.Body); err != nil || body.String() != `{"status":"SERVING"}` {
			t.Errorf("got %s, %v", body.String(), err)
		}
	})
	t.Run("without_postgres", func(t *testing.T) {
		in.db.Close()
		time.Sleep(1100 * time.Millisecond) // what was asked a second ago counts
		if status, err := ask(connect.WithGRPC(), ""); err != nil || status != 2 {
			t.Errorf("got %d, %v", status, err)
		}
	})
}

func TestReflection(t *testing.T) {
	in := install(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	stream := grpcreflect.NewClient(&http.Client{Transport: transport}, in.server.URL, connect.WithGRPC()).NewStream(ctx)
	defer stream.Close()
	names, err := stream.ListServices()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []protoreflect.FullName{"weir.admin.v1.KeyService", "weir.admin.v1.ReportService", "grpc.health.v1.Health"} {
		if !slices.Contains(names, name) {
			t.Errorf("no %s in %v", name, names)
		}
		if files, err := stream.FileContainingSymbol(name); err != nil || len(files) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
