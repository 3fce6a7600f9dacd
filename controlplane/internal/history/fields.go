// Package history compares forms of a resource, and puts the steps of a revert in an
// order in which they work. It knows no log, no store and no clock: what a step does
// is the caller's.
package history

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"
)

// Field is one field that differs. Its values are those of the API's JSON; nil: unset.
type Field struct {
	// Path is made of the proto's names: base_url, timeouts.idle, labels["team"].
	Path          string
	Before, After *structpb.Value
}

// Fields returns how two forms of a resource differ, in the order of its message. A
// nil form has no fields. Messages are compared field by field and maps key by key; a
// list is one field. The etag is no setting, and is left out.
func Fields(before, after proto.Message) ([]Field, error) {
	was, err := spell(before)
	if err != nil {
		return nil, err
	}
	is, err := spell(after)
	if err != nil {
		return nil, err
	}
	form := before
	if form == nil {
		form = after
	}
	if form == nil {
		return nil, nil
	}
	return differ("", form.ProtoReflect().Descriptor(), was, is), nil
}

// spell returns a message as its JSON has it; nothing for nil.
func spell(m proto.Message) (*structpb.Struct, error) {
	spelled := &structpb.Struct{}
	if m == nil {
		return spelled, nil
	}
	text, err := protojson.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("spell %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	if err := protojson.Unmarshal(text, spelled); err != nil {
		return nil, fmt.Errorf("spell %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	return spelled, nil
}

func differ(within string, form protoreflect.MessageDescriptor, was, is *structpb.Struct) []Field {
	var found []Field
	for i := range form.Fields().Len() {
		f := form.Fields().Get(i)
		before, after := was.GetFields()[f.JSONName()], is.GetFields()[f.JSONName()]
		path := within + string(f.Name())
		switch {
		case path == "etag" || proto.Equal(before, after):
		case f.IsMap():
			found = append(found, entries(path, before.GetStructValue(), after.GetStructValue())...)
		case divisible(f):
			found = append(found, differ(path+".", f.Message(), before.GetStructValue(), after.GetStructValue())...)
		default:
			found = append(found, Field{Path: path, Before: before, After: after})
		}
	}
	return found
}

// divisible tells messages with fields of their own from empty ones, and from times and
// durations, which are single values in JSON.
func divisible(f protoreflect.FieldDescriptor) bool {
	return f.Message() != nil && !f.IsList() && f.Message().FullName().Parent() != "google.protobuf" && f.Message().Fields().Len() > 0
}

func entries(path string, was, is *structpb.Struct) []Field {
	var keys []string
	for _, side := range []*structpb.Struct{was, is} {
		for key := range side.GetFields() {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var found []Field
	for _, key := range slices.Compact(keys) {
		before, after := was.GetFields()[key], is.GetFields()[key]
		if !proto.Equal(before, after) {
			found = append(found, Field{Path: fmt.Sprintf("%s[%q]", path, key), Before: before, After: after})
		}
	}
	return found
}
