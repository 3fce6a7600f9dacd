package rpc

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/requestid"
)

// Reasons of requests that reach no RPC.
const (
	reasonNoService   = "service_unknown"
	reasonNoMethod    = "method_unknown"
	reasonNotServedSo = "not_served_this_way"
)

// Front stands before the service at a path, "/package.Service/": what Connect
// would answer with a bare status gets words, for people with curl.
func Front(path string, service http.Handler) http.Handler {
	name := strings.Trim(path, "/")
	methods := methodNames(name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := strings.TrimPrefix(r.URL.Path, path)
		if len(methods) > 0 && !slices.Contains(methods, method) {
			refuse(w, r, unknown(reasonNoMethod, "service "+name, "method", method, methods))
			return
		}
		if err := oddTimeout(r); err != nil {
			refuse(w, r, err)
			return
		}
		service.ServeHTTP(&talking{w, r}, r)
	})
}

// NewMux serves these services, answers calls of others by name, and leaves the
// rest to pages. Every answer carries a request id.
func NewMux(mounts []Mount, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	var names []string
	for _, m := range mounts {
		mux.Handle(m.Path, m.Handler)
		names = append(names, strings.Trim(m.Path, "/"))
	}
	slices.Sort(names)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if !isCall(r) {
			pages.ServeHTTP(w, r)
			return
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		refuse(w, r, unknown(reasonNoService, "this server", "service", name, names))
	})
	return requestid.Handler(mux)
}

// isCall tells an RPC from a page of the console, whatever its service.
func isCall(r *http.Request) bool {
	content := r.Header.Get("Content-Type")
	return strings.HasPrefix(r.URL.Path, "/weir.") || strings.HasPrefix(r.URL.Path, "/grpc.") ||
		strings.HasPrefix(content, "application/grpc") || strings.HasPrefix(content, "application/connect+") ||
		r.Header.Get("Connect-Protocol-Version") != ""
}

func unknown(reason, where, what, name string, names []string) *fault.Error {
	hint := ""
	if near := nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %s? ", near)
	}
	return fault.Because(fault.Unimplemented, reason, "%s has no %s %q; %sit has %s",
		where, what, clip(name), hint, strings.Join(names, ", "))
}

// methodNames of a service, sorted.
func methodNames(service string) (names []string) {
	for _, method := range methodsOf(service) {
		names = append(names, string(method.Name()))
	}
	slices.Sort(names)
	return names
}

// methodsOf a service; none where no schema of it is linked in.
func methodsOf(service string) (all []protoreflect.MethodDescriptor) {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil
	}
	described, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil
	}
	for i := range described.Methods().Len() {
		all = append(all, described.Methods().Get(i))
	}
	return all
}

// oddTimeout refuses what Connect would refuse with the words of a Go function.
func oddTimeout(r *http.Request) error {
	text := r.Header.Get("Connect-Timeout-Ms")
	if len(text) <= 10 && strings.Trim(text, "0123456789") == "" {
		return nil
	}
	return fault.Because(fault.Invalid, reasonUnreadable,
		"Connect-Timeout-Ms: want milliseconds in at most 10 digits, not %q", clip(text))
}
