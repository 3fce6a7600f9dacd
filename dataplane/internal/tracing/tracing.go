// Package tracing sends the agent's spans to a collector over OTLP/HTTP. It owns the
// queue and the exporter: spans that the collector does not take in time are dropped,
// never waited for. It must not know what a span is about.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// endTimeout bounds the last export.
const endTimeout = 3 * time.Second

// Config says where spans go.
type Config struct {
	// Endpoint of a collector, an http(s) URL to which /v1/traces is added where it has no
	// path. Empty: what OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT
	// says, else nowhere. The other variables of the specification hold, too: headers, TLS,
	// sampler, resource, sizes of queue and batch.
	// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
	Endpoint string
	// Name and Version of the agent.
	Name, Version string
	Logger        *slog.Logger
}

// Tracing makes spans and sends them.
type Tracing struct{ provider *sdk.TracerProvider }

// Start returns nil where no collector is configured. It calls nobody.
func Start(ctx context.Context, c Config) (*Tracing, error) {
	if !c.enabled() {
		return nil, nil //nolint:nilnil // nothing is traced, which is no error
	}
	var options []otlptracehttp.Option
	if c.Endpoint != "" {
		endpoint, err := tracesURL(c.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("WEIR_OTLP_ENDPOINT: %w", err)
		}
		options = append(options, otlptracehttp.WithEndpointURL(endpoint))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	own := resource.NewSchemaless(semconv.ServiceName("weir-agent"), semconv.ServiceVersion(c.Version), semconv.ServiceInstanceID(c.Name))
	all, err := resource.Merge(own, resource.Environment()) // OTEL_SERVICE_NAME goes before
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	var failures atomic.Int64
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if n := failures.Add(1); n&(n-1) == 0 { // the 1st, 2nd, 4th, 8th …
			c.Logger.Warn("traces are not delivered, and dropped", "failures", n, "error", err)
		}
	}))
	return &Tracing{sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(all))}, nil
}

func (c Config) enabled() bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	return c.Endpoint != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

func tracesURL(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("want http(s)://host[:port][/path]")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}

// Tracer is nil where nothing is traced.
func (t *Tracing) Tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer("github.com/weirhq/weir/dataplane", trace.WithSchemaURL(semconv.SchemaURL))
}

// End sends what is queued, for a while, and drops the rest.
func (t *Tracing) End() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // which was told to the error handler
}
