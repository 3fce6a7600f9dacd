package main

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// schema is JSON Schema 2020-12, as OpenAPI 3.1 has it.
type schema struct {
	Ref                  string     `json:"$ref,omitempty"`
	Type                 string     `json:"type,omitempty"`
	Format               string     `json:"format,omitempty"`
	ContentEncoding      string     `json:"contentEncoding,omitempty"`
	Description          string     `json:"description,omitempty"`
	Secret               bool       `json:"x-weir-secret,omitempty"`
	Enum                 []string   `json:"enum,omitempty"`
	Const                *bool      `json:"const,omitempty"`
	Pattern              string     `json:"pattern,omitempty"`
	MinLength            *uint64    `json:"minLength,omitempty"`
	MaxLength            *uint64    `json:"maxLength,omitempty"`
	Minimum              *int64     `json:"minimum,omitempty"`
	Maximum              *int64     `json:"maximum,omitempty"`
	Items                *schema    `json:"items,omitempty"`
	MinItems             *uint64    `json:"minItems,omitempty"`
	MaxItems             *uint64    `json:"maxItems,omitempty"`
	UniqueItems          bool       `json:"uniqueItems,omitempty"`
	Properties           properties `json:"properties,omitempty"`
	Required             []string   `json:"required,omitempty"`
	AdditionalProperties any        `json:"additionalProperties,omitempty"`
	PropertyNames        *schema    `json:"propertyNames,omitempty"`
	MinProperties        *uint64    `json:"minProperties,omitempty"`
	MaxProperties        *uint64    `json:"maxProperties,omitempty"`
	AllOf                []*schema  `json:"allOf,omitempty"`
	AnyOf                []*schema  `json:"anyOf,omitempty"`
	OneOf                []*schema  `json:"oneOf,omitempty"`
	Not                  *schema    `json:"not,omitempty"`

	of protoreflect.EnumDescriptor // where it is one
}

// describe adds a sentence.
func (s *schema) describe(text string) {
	if s.Description != "" && text != "" {
		s.Description += "\n"
	}
	s.Description += text
}

// properties keep the order of the proto.
type properties []property

type property struct {
	name   string
	schema *schema
}

func (p properties) MarshalJSON() ([]byte, error) {
	text := bytes.NewBufferString("{")
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	for i, each := range p {
		if i > 0 {
			text.WriteByte(',')
		}
		if err := encoder.Encode(each.name); err != nil {
			return nil, err
		}
		text.WriteByte(':')
		if err := encoder.Encode(each.schema); err != nil {
			return nil, err
		}
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}
