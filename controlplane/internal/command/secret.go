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
	everyMessage(stripped.ProtoReflect(), func(part protoreflect.Message) {
		part.Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			if isSecret(field) {
				part.Clear(field)
			}
			return true
		})
	})
	return stripped
}

// everyMessage calls do with a message, then with those inside it that do left there.
func everyMessage(m protoreflect.Message, do func(protoreflect.Message)) {
	do(m)
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() && field.MapValue().Message() != nil:
			value.Map().Range(func(_ protoreflect.MapKey, one protoreflect.Value) bool {
				everyMessage(one.Message(), do)
				return true
			})
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				everyMessage(value.List().Get(i).Message(), do)
			}
		case field.Message() != nil && !field.IsMap():
			everyMessage(value.Message(), do)
		}
		return true
	})
}

func isSecret(field protoreflect.FieldDescriptor) bool {
	marked, _ := proto.GetExtension(field.Options(), adminv1.E_Secret).(bool)
	return marked
}

// markShown says in an answer, and in each answer of a batch, that it had a secret once.
func markShown(m protoreflect.Message) {
	everyMessage(m, func(part protoreflect.Message) {
		if field := part.Descriptor().Fields().ByName(alreadyShown); field != nil {
			part.Set(field, protoreflect.ValueOfBool(true))
		}
	})
}
