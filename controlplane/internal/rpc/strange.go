package rpc

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// strange finds what a message carries that its schema does not name: fields of
// a newer schema, and numbers of enums. It returns nil where there is none.
func strange(m protoreflect.Message, path string) *fault.Error {
	if left := m.GetUnknown(); len(left) > 0 {
		number, _, _ := protowire.ConsumeTag(left)
		return unknownNumber(m.Descriptor(), path, number)
	}
	var found *fault.Error
	m.Range(func(fd protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		found = strangeField(fd, value, join(path, string(fd.Name())))
		return found == nil
	})
	return found
}

func strangeField(fd protoreflect.FieldDescriptor, value protoreflect.Value, path string) *fault.Error {
	var found *fault.Error
	switch {
	case fd.IsMap():
		value.Map().Range(func(key protoreflect.MapKey, element protoreflect.Value) bool {
			found = strangeValue(fd.MapValue(), element, fmt.Sprintf("%s[%q]", path, key.String()))
			return found == nil
		})
	case fd.IsList():
		for i := range value.List().Len() {
			if found = strangeValue(fd, value.List().Get(i), fmt.Sprintf("%s[%d]", path, i)); found != nil {
				break
			}
		}
	default:
		return strangeValue(fd, value, path)
	}
	return found
}

func strangeValue(fd protoreflect.FieldDescriptor, value protoreflect.Value, path string) *fault.Error {
	switch {
	case fd.Message() != nil:
		return strange(value.Message(), path)
	case fd.Enum() != nil && fd.Enum().Values().ByNumber(value.Enum()) == nil:
		return fault.Field(path, "%d is no value of %s; want %s", value.Enum(), fd.Enum().FullName(), enumNames(fd.Enum()))
	}
	return nil
}

func unknownNumber(md protoreflect.MessageDescriptor, path string, number protowire.Number) *fault.Error {
	f := fault.Field(join(path, fmt.Sprint(number)),
		"%s has no field number %d here; the caller is made for a newer server", md.FullName(), number)
	f.Reason = reasonUnknownField
	return f
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
