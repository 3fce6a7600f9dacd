package rpc

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const (
	healthService = "grpc.health.v1.Health"
	// pingEvery is how often health checks together ask the store: anybody may call them.
	pingEvery   = time.Second
	pingTimeout = 2 * time.Second

	serving    protoreflect.EnumNumber = 1
	notServing protoreflect.EnumNumber = 2
)

// Health serves grpc.health.v1, without login. The messages are described here,
// not linked in, since their package brings all of grpc-go. Watch is
// Unimplemented, which clients take for healthy, as the protocol says: ask Check.
type Health struct {
	ping     func(context.Context) error
	services map[string]bool

	mu    sync.Mutex
	asked time.Time
	alive bool
}

// NewHealth answers for these services, all alike: SERVING while ping succeeds.
func NewHealth(services []Mount, ping func(context.Context) error) (Mount, error) {
	h := &Health{ping: ping, services: map[string]bool{"": true, healthService: true}}
	for _, m := range services {
		h.services[strings.Trim(m.Path, "/")] = true
	}
	file, err := healthFile()
	if err != nil {
		return Mount{}, err
	}
	check := file.Services().ByName("Health").Methods().ByName("Check")
	path := "/" + healthService + "/"
	handler := connect.NewUnaryHandler(path+"Check",
		func(ctx context.Context, r *connect.Request[dynamicpb.Message]) (*connect.Response[dynamicpb.Message], error) {
			return h.check(ctx, r.Msg, check)
		},
		connect.WithSchema(check),
		connect.WithReadMaxBytes(maxRequestBytes),
		connect.WithRequestInitializer(func(_ connect.Spec, message any) error {
			if m, ok := message.(*dynamicpb.Message); ok {
				*m = *dynamicpb.NewMessage(check.Input())
			}
			return nil
		}),
	)
	mux := http.NewServeMux()
	mux.Handle(path+"Check", handler)
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, unknown(reasonNoMethod, "service "+healthService, "method", strings.TrimPrefix(r.URL.Path, path), []string{"Check"}))
	})
	return Mount{path, Front(path, bounded(mux))}, nil
}

func (h *Health) check(ctx context.Context, m *dynamicpb.Message, method protoreflect.MethodDescriptor) (*connect.Response[dynamicpb.Message], error) {
	name := m.Get(method.Input().Fields().ByName("service")).String()
	if !h.services[name] {
		return nil, connect.NewError(connect.CodeNotFound, fmt.Errorf("this server has no service %q", clip(name)))
	}
	status := notServing
	if h.isAlive(ctx) {
		status = serving
	}
	answer := dynamicpb.NewMessage(method.Output())
	answer.Set(method.Output().Fields().ByName("status"), protoreflect.ValueOfEnum(status))
	return connect.NewResponse(answer), nil
}

func (h *Health) isAlive(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.asked) < pingEvery {
		return h.alive
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout) // the answer is for others too
	defer cancel()
	h.alive = h.ping(ctx) == nil
	h.asked = time.Now()
	return h.alive
}

// healthFile describes https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto.
var healthFile = sync.OnceValues(func() (protoreflect.FileDescriptor, error) {
	method := func(name string, streams bool) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: &name, InputType: proto.String(".grpc.health.v1.HealthCheckRequest"),
			OutputType: proto.String(".grpc.health.v1.HealthCheckResponse"), ServerStreaming: &streams,
		}
	}
	status := &descriptorpb.EnumDescriptorProto{Name: proto.String("ServingStatus")}
	for i, name := range []string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"} {
		status.Value = append(status.Value, &descriptorpb.EnumValueDescriptorProto{Name: &name, Number: proto.Int32(int32(i))})
	}
	field := func(name string, kind descriptorpb.FieldDescriptorProto_Type, of *string) []*descriptorpb.FieldDescriptorProto {
		return []*descriptorpb.FieldDescriptorProto{{
			Name: &name, JsonName: &name, Number: proto.Int32(1), Type: kind.Enum(), TypeName: of,
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}}
	}
	return protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("grpc/health/v1/health.proto"), Package: proto.String("grpc.health.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: proto.String("HealthCheckRequest"), Field: field("service", descriptorpb.FieldDescriptorProto_TYPE_STRING, nil)},
			{
				Name: proto.String("HealthCheckResponse"), EnumType: []*descriptorpb.EnumDescriptorProto{status},
				Field: field("status", descriptorpb.FieldDescriptorProto_TYPE_ENUM, proto.String(".grpc.health.v1.HealthCheckResponse.ServingStatus")),
			},
		},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String("Health"), Method: []*descriptorpb.MethodDescriptorProto{method("Check", false), method("Watch", true)},
		}},
	}, protoregistry.GlobalFiles)
})
