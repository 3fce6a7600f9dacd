package main

import (
	"fmt"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// schemas are the components made so far, by name.
type schemas struct {
	made map[string]*schema
	// answered are the messages that are part of an answer: those may grow.
	answered map[protoreflect.FullName]bool
}

func newSchemas(files []protoreflect.FileDescriptor) *schemas {
	s := &schemas{map[string]*schema{}, map[protoreflect.FullName]bool{}}
	for _, file := range files {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				s.answer(file.Services().Get(i).Methods().Get(j).Output())
			}
		}
	}
	return s
}

func (s *schemas) answer(m protoreflect.MessageDescriptor) {
	if s.answered[m.FullName()] {
		return
	}
	s.answered[m.FullName()] = true
	for i := range m.Fields().Len() {
		if of := m.Fields().Get(i).Message(); of != nil {
			s.answer(of)
		}
	}
}

func refTo(name string) string { return "#/components/schemas/" + name }

// inBatch marks the form of a request in which "$0" may stand for an id.
const inBatch = "InBatch"

// message returns a reference to the schema of m, and makes it.
func (s *schemas) message(m protoreflect.MessageDescriptor, batched bool) (*schema, error) {
	if known, ok := wellKnown[m.FullName()]; ok {
		return &schema{Type: known.Type, Format: known.Format, Pattern: known.Pattern, Description: known.Description}, nil
	}
	if m.ParentFile().Package() != admin {
		return nil, fmt.Errorf("%s: no schema is known for it", m.FullName())
	}
	name := string(m.Name())
	if batched = batched && holdsID(m); batched {
		name += inBatch
	}
	if s.made[name] != nil {
		return &schema{Ref: refTo(name)}, nil
	}
	made := &schema{Type: "object", Description: comment(m)}
	s.made[name] = made
	if !s.answered[m.FullName()] {
		made.AdditionalProperties = false
	}
	var err error
	if made.Required, err = required(m); err != nil {
		return nil, err
	}
	for i := range m.Fields().Len() {
		field := m.Fields().Get(i)
		shown, err := s.field(field, batched)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", field.FullName(), err)
		}
		shown.Description = strings.Trim(comment(field)+"\n"+shown.Description, "\n")
		shown.Secret, _ = proto.GetExtension(field.Options(), adminv1.E_Secret).(bool)
		made.Properties = append(made.Properties, property{field.JSONName(), shown})
	}
	made.AllOf = choices(m)
	return &schema{Ref: refTo(name)}, nil
}

// holdsID tells whether a field of the message, or of one in it, is an id.
func holdsID(m protoreflect.MessageDescriptor) bool {
	for i := range m.Fields().Len() {
		field := m.Fields().Get(i)
		rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
		if rules.GetString().GetUuid() || rules.GetRepeated().GetItems().GetString().GetUuid() {
			return true
		}
		if of := field.Message(); of != nil && of.ParentFile().Package() == admin && holdsID(of) {
			return true
		}
	}
	return false
}

// choices are the oneofs: each has at most one of its fields, or exactly one.
func choices(m protoreflect.MessageDescriptor) (all []*schema) {
	for i := range m.Oneofs().Len() {
		oneof := m.Oneofs().Get(i)
		if oneof.IsSynthetic() {
			continue
		}
		var each []*schema
		for j := range oneof.Fields().Len() {
			each = append(each, &schema{Required: []string{oneof.Fields().Get(j).JSONName()}})
		}
		rules, _ := proto.GetExtension(oneof.Options(), validate.E_Oneof).(*validate.OneofRules)
		choice := &schema{OneOf: each}
		if !rules.GetRequired() {
			choice.OneOf = slices.Concat(each, []*schema{{Not: &schema{AnyOf: each}}})
		}
		all = append(all, choice)
	}
	return all
}

func rulesOf(field protoreflect.FieldDescriptor) (*validate.FieldRules, error) {
	rules, err := protovalidate.ResolveFieldRules(field)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return rules, nil
}
