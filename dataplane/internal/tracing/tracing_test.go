package tracing_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/tracing"
)

func start(t *testing.T, endpoint string) *tracing.Tracing {
	t.Helper()
	started, err := tracing.Start(t.Context(), tracing.Config{Endpoint: endpoint, Name: "one", Version: "v1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return started
}

func TestSpansReachTheCollector(t *testing.T) {
	for name, configure := range map[string]func(t *testing.T, url string) string{
		"by_weir": func(_ *testing.T, url string) string { return url },
		"by_the_standards_variable": func(t *testing.T, url string) string {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
			return ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan *collector.ExportTraceServiceRequest, 1)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				request := &collector.ExportTraceServiceRequest{}
				if err := proto.Unmarshal(body, request); err != nil || r.URL.Path != "/v1/traces" {
					t.Errorf("%s: %v", r.URL.Path, err)
				}
				got <- request
			}))
			defer server.Close()
			started := start(t, configure(t, server.URL))
			_, span := started.Tracer().Start(context.Background(), "a span")
			span.End()
			started.End()
			resource := (<-got).GetResourceSpans()[0]
			if name := resource.GetScopeSpans()[0].GetSpans()[0].GetName(); name != "a span" {
				t.Errorf("span %q", name)
			}
			if a := resource.GetResource().GetAttributes(); len(a) != 3 || a[0].GetValue().GetStringValue() != "one" && a[1].GetValue().GetStringValue() != "weir-agent" {
				t.Errorf("resource %v", a)
			}
		})
	}
}

// A collector that takes nothing costs spans, and nobody's time: more of them than the
// queue holds end while the first export hangs.
func TestASilentCollectorHoldsNobodyUp(t *testing.T) {
	release := make(chan struct{})
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-release
	}))
	defer server.Close()
	defer close(release)
	started := start(t, server.URL)
	tracer := started.Tracer()
	end := func(n int) {
		for range n {
			_, span := tracer.Start(context.Background(), "s")
			span.End()
		}
	}
	end(1000)
	<-asked
	end(20_000)
	started.End()
}

func TestNothingIsTracedUnlessConfigured(t *testing.T) {
	if off := start(t, ""); off != nil || off.Tracer() != nil {
		t.Error("it traces")
	}
	t.Setenv("OTEL_SDK_DISABLED", "true")
	if off := start(t, "http://127.0.0.1:1"); off != nil {
		t.Error("it traces although the SDK is disabled")
	}
}

func TestEndpointsAreChecked(t *testing.T) {
	for _, endpoint := range []string{"collector:4318", "grpc://collector:4317", "http://"} {
		if _, err := tracing.Start(t.Context(), tracing.Config{Endpoint: endpoint}); err == nil {
			t.Errorf("%s was taken", endpoint)
		}
	}
}
