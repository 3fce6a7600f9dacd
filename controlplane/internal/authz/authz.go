// Package authz says what each role may do, in the organization and on single
// projects. An RPC names the permission that it needs in its option
// (weir.admin.v1.permission); who calls is authn's matter.
package authz

import (
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/organization"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const (
	// Public needs no login.
	Public = "public"
	// Self needs any login.
	Self = "self"
)

// Of returns the permission that an RPC declares; empty: none, and nobody is served.
func Of(method protoreflect.MethodDescriptor) string {
	declared, _ := proto.GetExtension(method.Options(), adminv1.E_Permission).(string)
	return declared
}

// OfRequest returns the permission of the RPC that takes the message; each has a
// message of its own. Empty: there is none, and nobody has it.
func OfRequest(request proto.Message) string {
	return byRequest()[request.ProtoReflect().Descriptor().FullName()]
}

var byRequest = sync.OnceValue(func() map[protoreflect.FullName]string {
	found := map[protoreflect.FullName]string{}
	protoregistry.GlobalFiles.RangeFilesByPackage("weir.admin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				found[methods.Get(j).Input().FullName()] = Of(methods.Get(j))
			}
		}
		return true
	})
	return found
})

// Permissions are what the principal may do in its whole organization, sorted. The
// slice is shared.
func Permissions(p authn.Principal) []string {
	switch {
	case p.Kind == authn.Operator:
		return operator
	case p.Suspended:
		return nil
	}
	return roles[p.Role]
}

// OnProject are what a binding lets the principal do on its project, sorted.
func OnProject(p authn.Principal, b authn.Binding) []string {
	if p.Suspended {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(roles[b.Role]), func(permission string) bool {
		_, reaches := slices.BinarySearch(onProjects, permission)
		return !reaches
	})
}

// Admit returns a Denied fault where the principal may not call the RPC at all. Of
// what somebody may do on single projects only, the rest is Reach's matter.
func Admit(p authn.Principal, method protoreflect.MethodDescriptor) error {
	options, _ := method.Options().(*descriptorpb.MethodOptions)
	reads := options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
	if p.Suspended && (Of(method) != Self || !reads) {
		return organization.Suspended()
	}
	return Check(p, Of(method))
}

// Check returns a Denied fault where the principal has the permission nowhere.
func Check(p authn.Principal, permission string) error {
	if reach := ReachOf(p, permission); reach.Everywhere || len(reach.Projects) > 0 {
		return nil
	}
	if p.Suspended {
		return organization.Suspended()
	}
	return fault.Because(fault.Denied, "permission_missing", "this needs the permission %s", permission)
}
