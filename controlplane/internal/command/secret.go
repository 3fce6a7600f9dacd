package command

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// alreadyShown is set in answers whose secret is gone.
const alreadyShown protoreflect.Name = "secret_already_shown"

// withoutSecrets returns a copy without the fields that are marked secret.
func withoutSecrets(m proto.Message) proto.Message {
	stripped := proto.Clone(m)
	strip(stripped.ProtoReflect())
	return stripped
}

func strip(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case isSecret(field):
			m.Clear(field)
		case field.IsMap() && field.MapValue().Message() != nil:
			value.Map().Range(func(_ protoreflect.MapKey, one protoreflect.Value) bool {
				strip(one.Message())
				return true
			})
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				strip(value.List().Get(i).Message())
			}
		case field.Message() != nil && !field.IsMap():
			strip(value.Message())
		}
		return true
	})
}

func isSecret(field protoreflect.FieldDescriptor) bool {
	marked, _ := proto.GetExtension(field.Options(), adminv1.E_Secret).(bool)
	return marked
}

// markShown says in an answer that it had a secret once.
func markShown(m protoreflect.Message) {
	if field := m.Descriptor().Fields().ByName(alreadyShown); field != nil {
		m.Set(field, protoreflect.ValueOfBool(true))
	}
}
