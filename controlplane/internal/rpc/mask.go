package rpc

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// merge returns current with the fields of sent that the mask names, as AIP-134 has
// it: no mask takes those that are not empty, "*" takes all. Only the settable ones
// are ever taken; a mask that names another is refused. One with a dot, "usage.labels", is a
// field of a message, for masks to name.
func merge[M proto.Message](current, sent M, mask *fieldmaskpb.FieldMask, settable ...protoreflect.Name) (M, error) {
	merged := proto.CloneOf(current)
	to, from := merged.ProtoReflect(), sent.ProtoReflect()
	taken, err := masked(from, mask.GetPaths(), settable)
	if err != nil {
		return merged, err
	}
	for _, name := range taken {
		take(to, from, string(name))
	}
	return merged, nil
}

// take sets a field to what it is in from, also where that is nothing.
func take(to, from protoreflect.Message, path string) {
	name, within, isDeep := strings.Cut(path, ".")
	field := from.Descriptor().Fields().ByName(protoreflect.Name(name))
	switch {
	case isDeep:
		take(to.Mutable(field).Message(), from.Get(field).Message(), within)
	case from.Has(field):
		to.Set(field, from.Get(field))
	default:
		to.Clear(field)
	}
}

// sentAlong are fields that say nothing about what is wanted: which one it is, and what
// only Get and List show.
var sentAlong = []protoreflect.Name{"id", "etag", "current_window", "unserved_routes", "stage"}

// keepsTheRest refuses an update of all that is said where it says another value of a
// field that no update changes. field is what the request calls the resource. The value
// that was read may be sent back.
func keepsTheRest(field string, current, sent proto.Message, mask *fieldmaskpb.FieldMask, settable []protoreflect.Name) (err error) {
	if paths := mask.GetPaths(); len(paths) > 0 && !slices.Equal(paths, []string{"*"}) {
		return nil
	}
	was := current.ProtoReflect()
	sent.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		fixed := !slices.Contains(settable, f.Name()) && !slices.Contains(sentAlong, f.Name())
		if fixed && !value.Equal(was.Get(f)) {
			err = fault.Field(field+"."+string(f.Name()), "no update changes it; %s can be changed", joined(settable))
		}
		return err == nil
	})
	return err
}

func masked(sent protoreflect.Message, paths []string, settable []protoreflect.Name) ([]protoreflect.Name, error) {
	whole := slices.DeleteFunc(slices.Clone(settable), func(name protoreflect.Name) bool { return strings.Contains(string(name), ".") })
	if slices.Equal(paths, []string{"*"}) {
		return whole, nil
	}
	if len(paths) == 0 {
		return slices.DeleteFunc(whole, func(name protoreflect.Name) bool {
			return !sent.Has(sent.Descriptor().Fields().ByName(name))
		}), nil
	}
	var taken []protoreflect.Name
	for _, path := range paths {
		name := protoreflect.Name(path)
		if !slices.Contains(settable, name) {
			return nil, fault.Field("update_mask", "%q can't be changed; %s can", path, joined(settable))
		}
		taken = append(taken, name)
	}
	return taken, nil
}

func joined(names []protoreflect.Name) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}
