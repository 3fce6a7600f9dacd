package rpc

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// positioned is how protojson begins: "proto:" and a space (or, lest anyone
// compares texts, a no-break space), then the place of the token.
var positioned = regexp.MustCompile(`^proto:[ \x{a0}](?:syntax error )?\(line (\d+):(\d+)\): (?:proto:[ \x{a0}])?(.*)`)

// fromJSON says in the caller's words why a text is not the JSON of a message.
func fromJSON(body []byte, md protoreflect.MessageDescriptor, err error) *fault.Error {
	parts := positioned.FindStringSubmatch(err.Error())
	if parts == nil {
		text := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
		if strings.Contains(text, "unexpected EOF") {
			text = "it ends too early; is a bracket or a quote open?"
		}
		return fault.Because(fault.Invalid, reasonUnreadable, "the body is not the JSON of a %s: %s", md.FullName(), clip(text))
	}
	line, _ := strconv.Atoi(parts[1])
	column, _ := strconv.Atoi(parts[2])
	at := locate(body, offsetOf(body, line, column), md)
	where := fmt.Sprintf("line %d, column %d", line, column)
	var f *fault.Error
	switch text := parts[3]; {
	case strings.HasPrefix(text, "unknown field") && at.message != nil:
		f = unknownName(at)
	case strings.HasPrefix(text, "invalid value for") && at.field != nil:
		f = fault.Field(at.path, "want %s, not %s", wanted(at.field), clip(lastPart(text)))
	case strings.HasPrefix(text, "unexpected token") && at.field != nil:
		f = fault.Field(at.path, "want %s; this does not fit: %s", wantedWhole(at), clip(strings.TrimPrefix(text, "unexpected token ")))
	case at.path != "":
		f = fault.Field(at.path, "%s", clip(text))
	default:
		return fault.Because(fault.Invalid, reasonUnreadable, "%s: %s; want one JSON object of a %s", where, clip(text), md.FullName())
	}
	f.Message = where + ": " + f.Message
	if f.Reason == "" {
		f.Reason = reasonUnreadable
	}
	return f
}

func unknownName(at place) *fault.Error {
	hint := nearest(at.name, fieldNames(at.message))
	switch names := fieldNames(at.message); {
	case hint != "":
		hint = fmt.Sprintf("did you mean %q?", hint)
	case len(names) == 0:
		hint = "it has none"
	default:
		hint = "it has " + strings.Join(names, ", ")
	}
	f := fault.Field(clip(at.path), "%s has no field %s; %s", at.message.FullName(), clip(strconv.Quote(at.name)), hint)
	f.Reason = reasonUnknownField
	return f
}

func fieldNames(md protoreflect.MessageDescriptor) []string {
	var names []string
	for i := range md.Fields().Len() {
		names = append(names, md.Fields().Get(i).TextName())
	}
	return names
}

// lastPart is what comes after `invalid value for string field name: `.
func lastPart(text string) string {
	_, value, _ := strings.Cut(text, ": ")
	return value
}

// wantedWhole says what a field holds, its elements included where it has many
// and the place is not one of them.
func wantedWhole(at place) string {
	if strings.HasSuffix(at.path, "]") || !at.field.IsList() {
		return wanted(at.field)
	}
	return "a list, each of it " + wanted(at.field)
}

// wanted says in JSON's words what one value of a field is.
func wanted(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return "true or false"
	case protoreflect.StringKind:
		return "a string"
	case protoreflect.BytesKind:
		return "a string in base64"
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return "a number"
	case protoreflect.EnumKind:
		return "one of " + enumNames(fd.Enum())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		if fd.IsMap() {
			return "an object"
		}
		return wantedMessage(fd.Message())
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return "a whole number from 0"
	default:
		return "a whole number"
	}
}

func wantedMessage(md protoreflect.MessageDescriptor) string {
	switch md.FullName() {
	case "google.protobuf.Timestamp":
		return `a time in RFC 3339, such as "2026-11-20T10:00:00Z"`
	case "google.protobuf.Duration":
		return `a duration in seconds, such as "90s"`
	}
	return fmt.Sprintf("a JSON object of a %s", md.FullName())
}

func enumNames(ed protoreflect.EnumDescriptor) string {
	var names []string
	for i := range ed.Values().Len() {
		if value := ed.Values().Get(i); value.Number() != 0 {
			names = append(names, string(value.Name()))
		}
	}
	return strings.Join(names, ", ")
}

// clip keeps a caller's own text short in the answer.
func clip(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
