// Package frozen has the wire between the planes as it was at one capability, for
// tests: what an agent or a control plane of that day reads and writes. Its files never
// change. It must not be used outside of tests.
package frozen

import (
	_ "embed"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// weir.agent.v1 and weir.policy.v1 of 2026-11-26, without rules and services' options.
//
//go:embed capability-3.binpb
var capability3 []byte

// Wire makes messages as they were.
type Wire struct{ files *protoregistry.Files }

// Capability3 is the wire before oldest_stored, capability and unserved routes.
func Capability3() (Wire, error) {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(capability3, set); err != nil {
		return Wire{}, fmt.Errorf("frozen wire: %w", err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return Wire{}, fmt.Errorf("frozen wire: %w", err)
	}
	return Wire{files}, nil
}

// Decode reads bytes as a message of that day, by its full name.
func (w Wire) Decode(name string, encoded []byte) (Message, error) {
	found, err := w.files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return Message{}, fmt.Errorf("frozen wire: %s: %w", name, err)
	}
	descriptor, ok := found.(protoreflect.MessageDescriptor)
	if !ok {
		return Message{}, fmt.Errorf("frozen wire: %s is no message", name)
	}
	m := Message{dynamicpb.NewMessage(descriptor)}
	if err := proto.Unmarshal(encoded, m.Message); err != nil {
		return Message{}, fmt.Errorf("frozen wire: decode %s: %w", name, err)
	}
	return m, nil
}

// Message is of that day.
type Message struct{ *dynamicpb.Message }

// Field is what a path of field names leads to.
func (m Message) Field(path ...string) protoreflect.Value {
	at := m.ProtoReflect()
	for i, name := range path {
		value := at.Get(at.Descriptor().Fields().ByName(protoreflect.Name(name)))
		if i == len(path)-1 {
			return value
		}
		at = value.Message()
	}
	return protoreflect.Value{}
}

// Has tells whether a field of the message is set.
func (m Message) Has(name string) bool {
	return m.ProtoReflect().Has(m.Descriptor().Fields().ByName(protoreflect.Name(name)))
}

// Unknown lists what the message, or one inside of it, has that nobody knew that day,
// by the messages' names.
func (m Message) Unknown() []string { return unknownOf(m.ProtoReflect()) }

func unknownOf(m protoreflect.Message) (names []string) {
	if len(m.GetUnknown()) > 0 {
		names = append(names, string(m.Descriptor().FullName()))
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				names = append(names, unknownOf(v.List().Get(i).Message())...)
			}
		default:
			names = append(names, unknownOf(v.Message())...)
		}
		return true
	})
	return names
}
