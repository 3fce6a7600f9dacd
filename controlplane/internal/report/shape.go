package report

import (
	"reflect"
	"strings"
)

// shape is a column's type, as far as writing its values must know it: a day among times
// is a day wherever it stands.
type shape struct {
	// name of the type without its parameters, nor what changes no value: LowCardinality.
	name     string
	nullable bool
	// of what it holds: the elements of an Array; keys and values of a Map; each of a Tuple.
	of []shape
	// fields are the names of a Tuple's, where it has them.
	fields []string
}

// shapeOf reads a type as the server writes it: Tuple(day Date, `a b` Array(String)).
func shapeOf(columnType string) shape {
	name, inner, _ := strings.Cut(strings.TrimSpace(columnType), "(")
	parts := splitTypes(strings.TrimSuffix(inner, ")"))
	switch name {
	case "LowCardinality":
		return shapeOf(parts[0])
	case "Nullable":
		of := shapeOf(parts[0])
		of.nullable = true
		return of
	case "SimpleAggregateFunction":
		return shapeOf(parts[len(parts)-1])
	}
	s := shape{name: name}
	for _, part := range parts {
		switch name {
		case "Tuple", "Nested":
			field, of := cutField(part)
			s.of = append(s.of, shapeOf(of))
			if field != "" { // all have one, or none
				s.fields = append(s.fields, field)
			}
		case "Array", "Map":
			s.of = append(s.of, shapeOf(part))
		}
	}
	return s
}

// splitTypes cuts at commas that stand in no parentheses and no quotes.
func splitTypes(list string) (parts []string) {
	depth, from := 0, 0
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '\'', '`':
			i += skipQuoted(list[i:])
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts, from = append(parts, list[from:i]), i+1
			}
		}
	}
	return append(parts, list[from:])
}

// skipQuoted is where what begins with a quote ends.
func skipQuoted(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i
		}
	}
	return len(text)
}

// cutField parts the name of a tuple's element, if there is one, from its type.
func cutField(part string) (name, columnType string) {
	part = strings.TrimSpace(part)
	if strings.HasPrefix(part, "`") {
		end := skipQuoted(part)
		return unquoteField(part[1:end]), part[min(end+1, len(part)):]
	}
	if before, after, ok := strings.Cut(part, " "); ok && !strings.ContainsAny(before, "(,'") {
		return before, after
	}
	return "", part
}

func unquoteField(name string) string {
	return strings.NewReplacer("\\`", "`", `\\`, `\`).Replace(name)
}

// at is the shape of the i-th of what it holds; of an Array all are alike.
func (s shape) at(i int) shape {
	switch {
	case s.name == "Array" && len(s.of) == 1:
		return s.of[0]
	case s.name == "Tuple" && i < len(s.of):
		return s.of[i]
	}
	return shape{}
}

// key is the shape of a Map's keys.
func (s shape) key() shape {
	if s.name == "Map" && len(s.of) == 2 {
		return s.of[0]
	}
	return shape{}
}

// value is the shape of what stands under a key of a Map, or a name of a Tuple.
func (s shape) value(key string) shape {
	if s.name == "Map" && len(s.of) == 2 {
		return s.of[1]
	}
	for i, field := range s.fields {
		if field == key {
			return s.at(i)
		}
	}
	return shape{}
}

// isDay tells dates from times.
func (s shape) isDay() bool { return s.name == "Date" || s.name == "Date32" }

// target is what the driver can scan such a value into; as: what it says itself, which is
// wrong of tuples that may be NULL.
func (s shape) target(as reflect.Type) any {
	switch {
	case s.name != "Tuple" || !s.nullable:
		return reflect.New(as).Interface()
	case len(s.fields) > 0:
		return new(map[string]any)
	}
	return new([]any)
}
