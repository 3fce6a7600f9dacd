package rpc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	validatev1 "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// validate holds a message against what its codec found, against the rules in its
// proto, and against what no store of ours can hold.
func validate(message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("validate: %T is no message", message)
	}
	if err := leftFault(m); err != nil {
		return err
	}
	err := protovalidate.Validate(m)
	var invalid *protovalidate.ValidationError
	if errors.As(err, &invalid) {
		return fromViolations(m.ProtoReflect().Descriptor(), invalid)
	}
	if err != nil {
		return fmt.Errorf("validate %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	return storable(m)
}

func fromViolations(of protoreflect.MessageDescriptor, invalid *protovalidate.ValidationError) *fault.Error {
	f := &fault.Error{Kind: fault.Invalid, Reason: "invalid_request"}
	var lines []string
	for _, v := range invalid.Violations {
		field, said := protovalidate.FieldPathString(v.Proto.GetField()), inWords(v)
		if members := membersOf(of, v.Proto.GetField().GetElements()); members != nil {
			said = "want exactly one of " + strings.Join(members, ", ")
		}
		f.Violations = append(f.Violations, fault.Violation{Field: field, Description: said})
		lines = append(lines, field+": "+said)
	}
	f.Message = strings.Join(lines, "; ")
	return f
}

// membersOf a oneof that a path ends at; nil: it ends at a field. The oneof's own name is
// nowhere in JSON.
func membersOf(md protoreflect.MessageDescriptor, path []*validatev1.FieldPathElement) (names []string) {
	for i, element := range path {
		name := protoreflect.Name(element.GetFieldName())
		if oneof := md.Oneofs().ByName(name); oneof != nil && i == len(path)-1 {
			for n := range oneof.Fields().Len() {
				names = append(names, oneof.Fields().Get(n).TextName())
			}
			return names
		}
		field := md.Fields().ByName(name)
		if field == nil || field.Message() == nil || field.IsMap() {
			return nil
		}
		md = field.Message()
	}
	return nil
}

// inWords is what a violation says, with the names of an enum's values for their numbers.
func inWords(v *protovalidate.Violation) string {
	if v.FieldDescriptor == nil || v.FieldDescriptor.Enum() == nil {
		return v.Proto.GetMessage()
	}
	values := v.FieldDescriptor.Enum().Values()
	var allowed []string
	for i := range values.Len() {
		listed := v.RuleDescriptor.IsList() && slices.ContainsFunc(numbers(v.RuleValue.List()), func(n int64) bool { return n == int64(values.Get(i).Number()) })
		switch v.RuleDescriptor.Name() {
		case "in":
			if !listed {
				continue
			}
		case "not_in", "defined_only":
			if listed || values.Get(i).Number() == 0 {
				continue
			}
		default:
			return v.Proto.GetMessage()
		}
		allowed = append(allowed, string(values.Get(i).Name()))
	}
	return "want " + strings.Join(allowed, ", ")
}

func numbers(list protoreflect.List) (all []int64) {
	for i := range list.Len() {
		all = append(all, list.Get(i).Int())
	}
	return all
}

// storable refuses text with NUL, and times and durations outside of their types'
// range, which only the binary form can carry.
func storable(m proto.Message) error {
	return protorange.Range(m.ProtoReflect(), func(values protopath.Values) error {
		switch value := values.Index(-1).Value.Interface().(type) {
		case string:
			if strings.ContainsRune(value, 0) {
				return fault.Field(fieldName(values.Path), "must not contain NUL")
			}
		case protoreflect.Message:
			bounded, ok := value.Interface().(interface{ CheckValid() error })
			if ok && value.IsValid() && bounded.CheckValid() != nil {
				return fault.Field(fieldName(values.Path), "is no valid %s: seconds or nanos are out of range", value.Descriptor().Name())
			}
		}
		return nil
	})
}

func fieldName(path protopath.Path) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i].Kind() == protopath.FieldAccessStep {
			return string(path[i].FieldDescriptor().Name())
		}
	}
	return "request"
}
