package main

import (
	"errors"
	"fmt"
	"slices"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// wellKnown are the messages that JSON has a form of its own for:
// https://protobuf.dev/programming-guides/json/
var wellKnown = map[protoreflect.FullName]schema{
	"google.protobuf.Timestamp": {Type: "string", Format: "date-time"},
	"google.protobuf.Duration":  {Type: "string", Pattern: `^-?[0-9]+(\.[0-9]{1,9})?s$`, Description: `Seconds, for example "1.5s".`},
	"google.protobuf.FieldMask": {Type: "string", Description: `Names of fields, for example "name,displayName".`},
	"google.protobuf.ListValue": {Type: "array"},
	"google.protobuf.Struct":    {Type: "object"},
	"google.protobuf.Value":     {Description: "Any JSON value."},
}

// field returns the schema of a field's JSON form, held to its rules.
func (s *schemas) field(field protoreflect.FieldDescriptor, batched bool) (*schema, error) {
	rules, err := rulesOf(field)
	if err != nil {
		return nil, err
	}
	switch {
	case field.IsMap():
		return s.mapOf(field, rules)
	case field.IsList():
		return s.listOf(field, rules, batched)
	}
	one, err := s.single(field, batched)
	if err != nil {
		return nil, err
	}
	return constrain(one, rules, batched)
}

func (s *schemas) mapOf(field protoreflect.FieldDescriptor, rules *validate.FieldRules) (*schema, error) {
	names, err := constrain(&schema{Type: "string"}, rules.GetMap().GetKeys(), false)
	if err != nil {
		return nil, err
	}
	values, err := s.single(field.MapValue(), false)
	if err != nil {
		return nil, err
	}
	if values, err = constrain(values, rules.GetMap().GetValues(), false); err != nil {
		return nil, err
	}
	return constrain(&schema{Type: "object", PropertyNames: names, AdditionalProperties: values}, rules, false)
}

func (s *schemas) listOf(field protoreflect.FieldDescriptor, rules *validate.FieldRules, batched bool) (*schema, error) {
	items := rules.GetRepeated().GetItems()
	// The rules of what a batch carries count once its "$0" are replaced.
	one, err := s.single(field, batched || items.GetIgnore() == validate.Ignore_IGNORE_ALWAYS)
	if err != nil {
		return nil, err
	}
	if one, err = constrain(one, items, batched); err != nil {
		return nil, err
	}
	return constrain(&schema{Type: "array", Items: one}, rules, batched)
}

func (s *schemas) single(field protoreflect.FieldDescriptor, batched bool) (*schema, error) {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return &schema{Type: "boolean"}, nil
	case protoreflect.StringKind:
		return &schema{Type: "string"}, nil
	case protoreflect.BytesKind:
		return &schema{Type: "string", ContentEncoding: "base64"}, nil
	case protoreflect.Int32Kind:
		return &schema{Type: "integer", Format: "int32"}, nil
	case protoreflect.Int64Kind:
		return &schema{Type: "string", Format: "int64", Pattern: "^-?[0-9]+$"}, nil
	case protoreflect.EnumKind:
		return s.enum(field.Enum()), nil
	case protoreflect.MessageKind:
		return s.message(field.Message(), batched)
	default:
		return nil, fmt.Errorf("no schema is known for kind %s", field.Kind())
	}
}

func (s *schemas) enum(e protoreflect.EnumDescriptor) *schema {
	name := string(e.Name())
	made := &schema{Type: "string", Description: comment(e)}
	for i := range e.Values().Len() {
		value := e.Values().Get(i)
		made.Enum = append(made.Enum, string(value.Name()))
		if about := comment(value); about != "" {
			made.describe("- `" + string(value.Name()) + "`: " + about)
		}
	}
	s.made[name] = made
	return &schema{Ref: refTo(name), of: e}
}

// required are the fields without which a message breaks its rules. The rules
// themselves say so, of an empty message.
func required(m protoreflect.MessageDescriptor) (names []string, err error) {
	var invalid *protovalidate.ValidationError
	if err := protovalidate.Validate(dynamicpb.NewMessage(m)); err != nil && !errors.As(err, &invalid) {
		return nil, fmt.Errorf("%s: %w", m.FullName(), err)
	}
	if invalid == nil {
		return nil, nil
	}
	for _, v := range invalid.Violations {
		if field := m.Fields().ByName(protoreflect.Name(protovalidate.FieldPathString(v.Proto.GetField()))); field != nil {
			names = append(names, field.JSONName())
		}
	}
	return slices.Compact(names), nil // one that breaks two rules is there twice
}
