package gemini

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonout"
)

// schema turns the subset of OpenAPI 3.0 that Gemini has for parameters and answers into
// JSON Schema. https://ai.google.dev/api/caching#Schema
func (s *scan) schema(at, bare string, value []byte) string {
	var o out
	s.appendSchema(&o, at, bare, value, o.begin)
	return string(o.b)
}

// maxSchemaDepth is more than any schema has that a model can follow. Each level is read
// again for the one above it.
const maxSchemaDepth = 50

// appendSchema writes a schema; begin writes its bracket.
func (s *scan) appendSchema(o *out, at, bare string, value []byte, begin func(bracket byte)) {
	if s.depth++; s.depth > maxSchemaDepth {
		s.wrong(at, "It is a schema too deep inside of another one.")
	}
	defer func() { s.depth-- }()
	if s.fault != nil {
		return
	}
	begin('{')
	nullable, typed := false, ""
	var enum []byte
	s.fields(at, value, func(name string, value []byte) {
		switch at := at + "." + name; name {
		case "type":
			typed = strings.ToLower(s.text(at, value))
		case "nullable":
			nullable = s.flag(at, value)
		case "enum":
			enum = value
		case "properties":
			o.open(name, '{')
			s.properties(o, at, bare, value)
			o.end('}')
		case "items":
			s.appendSchema(o, at, bare, value, func(bracket byte) { o.open(name, bracket) })
		case "anyOf":
			o.open(name, '[')
			s.list(at, value, func(at string, value []byte) { s.appendSchema(o, at, bare, value, o.item) })
			o.end(']')
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			o.raw(name, s.number(at, value)) // 64 bits: most often in quotes
		case "format":
			if format := s.text(at, value); format != "enum" { // OpenAPI's mark of an enum
				o.text(name, format)
			}
		case "example":
			o.raw("examples", "["+string(value)+"]")
		case "propertyOrdering":
			s.drop(bare, name)
		default: // same word and meaning in both
			o.raw(name, string(value))
		}
	})
	endSchema(o, typed, enum, nullable)
	o.end('}')
}

// properties are named by the caller: in no form of ours.
func (s *scan) properties(o *out, at, bare string, value []byte) {
	s.rawFields(at, value, func(name string, value []byte) {
		s.appendSchema(o, at+"."+name, bare, value, func(bracket byte) {
			o.comma()
			o.b = append(append(jsonout.AppendString(o.b, name), ':'), bracket)
		})
	})
}

// endSchema writes type and enum, which both have to admit null where it may be.
func endSchema(o *out, typed string, enum []byte, nullable bool) {
	switch {
	case typed == "" || typed == "type_unspecified":
	case nullable:
		o.key("type")
		o.b = append(append(append(o.b, '['), jsonout.AppendString(nil, typed)...), `,"null"]`...)
	default:
		o.text("type", typed)
	}
	if enum == nil {
		return
	}
	o.open("enum", '[')
	elements(enum, func(element []byte) {
		o.comma()
		o.b = append(o.b, element...)
	})
	if nullable {
		o.comma()
		o.b = append(o.b, "null"...)
	}
	o.end(']')
}
