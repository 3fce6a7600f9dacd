package openai

import (
	"bytes"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

var typeName = []byte("type")

// Hosted tells whether one of the tools is not run by the caller: its type is none of own, which
// are JSON; an empty one stands for a tool without a type. Of a type that is there twice, with
// escapes or in other capitals, any may be what the upstream takes.
func Hosted(tools []byte, own ...string) bool {
	return Some(tools, func(fields []jsonscan.Field) bool {
		typed := false
		for _, field := range fields {
			if !bytes.EqualFold(jsonscan.Plain(field.Name), typeName) {
				continue
			}
			if typed = true; !among(own, field.Value) {
				return true
			}
		}
		return !typed && !among(own, nil)
	})
}

func among(own []string, kind []byte) bool {
	for _, known := range own {
		if string(kind) == known {
			return true
		}
	}
	return false
}

// Some tells whether an element of an array, an object, is like that.
func Some(array []byte, like func([]jsonscan.Field) bool) bool {
	if len(array) == 0 || array[0] != '[' {
		return false
	}
	space := make([]jsonscan.Field, 0, 8) // of all elements
	found := jsonvalue.New("", array).Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		fields, err := jsonscan.Fields(space[:0], element.Raw, nil)
		if err == nil && like(fields) {
			return element.Fault("")
		}
		return nil
	})
	return found != nil
}
