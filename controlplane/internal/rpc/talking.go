package rpc

import (
	"log/slog"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/wire"
)

const howToStream = "it is a stream: call it with a Connect, gRPC or gRPC-Web client"

const howToCall = "send JSON with -H 'Content-Type: application/json' -d '{…}', or protobuf, gRPC or gRPC-Web with theirs"

var errorWriter = connect.NewErrorWriter()

// refuse answers in the protocol that was asked in; one that is none gets
// Connect's JSON, which can be read.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	_ = errorWriter.Write(w, r, wire.Error(r.Context(), slog.New(slog.DiscardHandler), err)) // the caller is gone
}

// talking gives a body to the bare statuses that Connect refuses requests with.
type talking struct {
	http.ResponseWriter
	request *http.Request
}

func (t *talking) WriteHeader(status int) {
	var f *fault.Error
	switch status {
	case http.StatusMethodNotAllowed:
		f = fault.Because(fault.Unimplemented, reasonNotServedSo,
			"%s is not served here, but %s: %s", clip(t.request.Method), t.Header().Get("Allow"), howToCall)
	case http.StatusUnsupportedMediaType:
		f = fault.Because(fault.Invalid, reasonNotServedSo,
			"Content-Type %q is not served here: %s", clip(t.request.Header.Get("Content-Type")), howToCall)
		if streams(t.request.URL.Path) {
			f.Message = howToStream
		} else if t.request.Method == http.MethodGet {
			f.Message = "a GET has no body, but the parameters encoding=json and message={…}, URL-encoded; or POST: " + howToCall
		}
	case http.StatusHTTPVersionNotSupported:
		f = fault.Because(fault.Unimplemented, reasonNotServedSo, "a stream in both directions needs HTTP/2")
	default:
		t.ResponseWriter.WriteHeader(status)
		return
	}
	refuse(fixedStatus{t.ResponseWriter, status}, t.request, f)
}

// streams tells whether the RPC at a path answers with a stream.
func streams(path string) bool {
	name := strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ".")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return false
	}
	method, ok := found.(protoreflect.MethodDescriptor)
	return ok && method.IsStreamingServer()
}

// Unwrap serves http.ResponseController.
func (t *talking) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Flush implements http.Flusher, without which Connect serves no stream.
func (t *talking) Flush() { _ = http.NewResponseController(t.ResponseWriter).Flush() }

// fixedStatus keeps the status that was chosen before the error was written.
type fixedStatus struct {
	http.ResponseWriter
	status int
}

func (f fixedStatus) WriteHeader(int) { f.ResponseWriter.WriteHeader(f.status) }
