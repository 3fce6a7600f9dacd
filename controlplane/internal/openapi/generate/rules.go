package main

import (
	"fmt"
	"iter"
	"regexp"
	"strconv"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

// constrain holds a schema to rules: all that there are, or an error.
func constrain(s *schema, rules *validate.FieldRules, batched bool) (*schema, error) {
	if rules.GetIgnore() == validate.Ignore_IGNORE_ALWAYS {
		return s, nil
	}
	optional := rules.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE
	for kind, value := range set(rules.ProtoReflect()) {
		if kind.Message() == nil {
			continue // required and ignore are no matter of the value
		}
		for rule, value := range set(value.Message()) {
			name := string(kind.Name()) + "." + string(rule.Name())
			apply, ok := constraints[name]
			if !ok {
				return nil, fmt.Errorf("no schema is known for the rule %s", name)
			}
			apply(s, value)
		}
	}
	return loosen(s, optional, batched), nil
}

// set are the fields that a message has, in the order of its proto.
func set(m protoreflect.Message) iter.Seq2[protoreflect.FieldDescriptor, protoreflect.Value] {
	return func(yield func(protoreflect.FieldDescriptor, protoreflect.Value) bool) {
		for i := range m.Descriptor().Fields().Len() {
			if field := m.Descriptor().Fields().Get(i); m.Has(field) && !yield(field, m.Get(field)) {
				return
			}
		}
	}
}

// loosen lets an empty string through where rules are for others only, and in a
// batch what stands for an id.
func loosen(s *schema, optional, batched bool) *schema {
	var also []*schema
	if optional {
		also = append(also, &schema{MaxLength: new(uint64(0))})
	}
	if batched && s.Format == "uuid" {
		also = append(also, &schema{Pattern: `^\$[0-9]+$`})
	}
	if also == nil {
		return s
	}
	return &schema{Type: s.Type, AnyOf: append(also, &schema{Format: s.Format, Pattern: s.Pattern, MinLength: s.MinLength, MaxLength: s.MaxLength})}
}

// constraints by rule. JSON Schema has no words for bounds of what JSON writes as a
// string, times, 64-bit numbers and bytes: the description has.
var constraints = map[string]func(*schema, protoreflect.Value){
	"string.min_len":  func(s *schema, v protoreflect.Value) { s.MinLength = new(v.Uint()) },
	"string.max_len":  func(s *schema, v protoreflect.Value) { s.MaxLength = new(v.Uint()) },
	"string.pattern":  func(s *schema, v protoreflect.Value) { s.Pattern = v.String() },
	"string.contains": func(s *schema, v protoreflect.Value) { s.Pattern = regexp.QuoteMeta(v.String()) },
	"string.uuid":     func(s *schema, _ protoreflect.Value) { s.Format = "uuid" },
	"string.email":    func(s *schema, _ protoreflect.Value) { s.Format = "email" },
	"string.hostname": func(s *schema, _ protoreflect.Value) { s.Format = "hostname" },

	"bool.const": func(s *schema, v protoreflect.Value) { s.Const = new(v.Bool()) },

	"bytes.len":     func(s *schema, v protoreflect.Value) { s.describe(fmt.Sprintf("%d bytes.", v.Uint())) },
	"bytes.max_len": func(s *schema, v protoreflect.Value) { s.describe(fmt.Sprintf("At most %d bytes.", v.Uint())) },

	"int32.gte": func(s *schema, v protoreflect.Value) { s.Minimum = new(v.Int()) },
	"int32.lte": func(s *schema, v protoreflect.Value) { s.Maximum = new(v.Int()) },
	"int64.gte": func(s *schema, v protoreflect.Value) { s.describe(fmt.Sprintf("At least %d.", v.Int())) },
	"int64.lte": func(s *schema, v protoreflect.Value) { s.describe(fmt.Sprintf("At most %d.", v.Int())) },

	"enum.defined_only": func(*schema, protoreflect.Value) {},
	"enum.in":           func(s *schema, v protoreflect.Value) { s.Enum = s.those(v) },
	"enum.not_in":       func(s *schema, v protoreflect.Value) { s.Not = &schema{Enum: s.those(v)} },

	"repeated.min_items": func(s *schema, v protoreflect.Value) { s.MinItems = new(v.Uint()) },
	"repeated.max_items": func(s *schema, v protoreflect.Value) { s.MaxItems = new(v.Uint()) },
	"repeated.unique":    func(s *schema, v protoreflect.Value) { s.UniqueItems = v.Bool() },
	"repeated.items":     func(*schema, protoreflect.Value) {},
	"map.min_pairs":      func(s *schema, v protoreflect.Value) { s.MinProperties = new(v.Uint()) },
	"map.max_pairs":      func(s *schema, v protoreflect.Value) { s.MaxProperties = new(v.Uint()) },
	"map.keys":           func(*schema, protoreflect.Value) {},
	"map.values":         func(*schema, protoreflect.Value) {},

	"timestamp.gt_now": func(s *schema, _ protoreflect.Value) { s.describe("In the future.") },
	"duration.gte":     func(s *schema, v protoreflect.Value) { s.describe("At least " + seconds(v) + ".") },
	"duration.lte":     func(s *schema, v protoreflect.Value) { s.describe("At most " + seconds(v) + ".") },
}

// seconds is a duration as JSON writes it.
func seconds(v protoreflect.Value) string {
	d, _ := v.Message().Interface().(*durationpb.Duration)
	return strconv.FormatFloat(d.AsDuration().Seconds(), 'f', -1, 64) + "s"
}

// those names the values of an enum that a rule lists.
func (s *schema) those(numbers protoreflect.Value) (names []string) {
	for i := range numbers.List().Len() {
		value := s.of.Values().ByNumber(protoreflect.EnumNumber(numbers.List().Get(i).Int()))
		names = append(names, string(value.Name()))
	}
	return names
}
