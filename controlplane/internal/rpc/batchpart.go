package rpc

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/fault"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// placeholder stands for the id of what an earlier operation made.
var placeholder = regexp.MustCompile(`^\$([0-9]{1,3})$`)

// declared is the permission of a method; empty where there is no such method, and
// nobody has that.
func declared(service, method protoreflect.Name) string {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service) + "." + protoreflect.FullName(method))
	if err != nil {
		return ""
	}
	return authz.Of(found.(protoreflect.MethodDescriptor))
}

// chosen is the member of the message's oneof that is set.
func chosen(m protoreflect.Message) (protoreflect.FieldDescriptor, proto.Message, bool) {
	field := m.WhichOneof(m.Descriptor().Oneofs().Get(0))
	if field == nil {
		return nil, nil, false
	}
	return field, m.Get(field).Message().Interface(), true
}

// madeBy is the id of the resource in an answer; empty: it has none.
func madeBy(result *adminv1.OperationResult) string {
	_, answer, _ := chosen(result.ProtoReflect())
	fields := answer.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if fields.Get(i).Message() == nil || fields.Get(i).IsList() || fields.Get(i).IsMap() {
			continue
		}
		if r, ok := answer.ProtoReflect().Get(fields.Get(i)).Message().Interface().(resource); ok {
			return r.GetId()
		}
	}
	return ""
}

// substitute puts ids in the place of placeholders, at any depth.
func substitute(m protoreflect.Message, made []string) (err error) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
		case field.IsList():
			err = substituteList(field, value.List(), made)
		case field.Kind() == protoreflect.StringKind:
			var id string
			if id, err = resolved(field, value.String(), made); err == nil {
				m.Set(field, protoreflect.ValueOfString(id))
			}
		case field.Message() != nil:
			err = substitute(value.Message(), made)
		}
		return err == nil
	})
	return err
}

func substituteList(field protoreflect.FieldDescriptor, list protoreflect.List, made []string) error {
	for i := range list.Len() {
		switch {
		case field.Message() != nil:
			if err := substitute(list.Get(i).Message(), made); err != nil {
				return err
			}
		case field.Kind() == protoreflect.StringKind:
			id, err := resolved(field, list.Get(i).String(), made)
			if err != nil {
				return err
			}
			list.Set(i, protoreflect.ValueOfString(id))
		}
	}
	return nil
}

func resolved(field protoreflect.FieldDescriptor, text string, made []string) (string, error) {
	match := placeholder.FindStringSubmatch(text)
	if match == nil {
		return text, nil
	}
	if n, err := strconv.Atoi(match[1]); err == nil && n < len(made) && made[n] != "" {
		return made[n], nil
	}
	return "", fault.Field(string(field.Name()), "%s stands for what an earlier operation made, and none such did", text)
}

// inOperation says which operation a fault is about.
func inOperation(i int, err error) error {
	where := fmt.Sprintf("operations[%d]", i)
	var meant *fault.Error
	if !errors.As(err, &meant) {
		return fmt.Errorf("%s: %w", where, err)
	}
	placed := *meant
	placed.Message = where + ": " + meant.Message
	placed.Violations = nil
	for _, v := range meant.Violations {
		placed.Violations = append(placed.Violations, fault.Violation{Field: where + "." + v.Field, Description: v.Description})
	}
	return &placed
}
