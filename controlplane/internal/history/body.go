package history

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"
)

// Body returns what an event says, as JSON, to be read by people. Bytes are left out:
// in events they are hashes, which tell nobody anything that the last characters of
// the key don't, and public keys or what is encrypted.
func Body(event proto.Message) (*structpb.Struct, error) {
	readable := proto.Clone(event)
	withoutBytes(readable.ProtoReflect())
	return spell(readable)
}

func withoutBytes(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Kind() == protoreflect.BytesKind {
				m.Clear(f)
			}
		case f.Kind() == protoreflect.BytesKind:
			m.Clear(f)
		case f.Message() == nil:
		case f.IsList():
			for i := range value.List().Len() {
				withoutBytes(value.List().Get(i).Message())
			}
		default:
			withoutBytes(value.Message())
		}
		return true
	})
}
