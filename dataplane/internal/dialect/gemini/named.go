package gemini

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// modelsIn finds where a body names the model that stands in the path, in the body's order:
// at its top, in the request whose tokens countTokens is to count, and in each of those of
// batchEmbedContents.
func modelsIn(model, counted, batch jsonscan.Field) ([]dialect.Edit, *Error) {
	n := named{}
	fields := []jsonscan.Field{model, counted, batch}
	for len(fields) > 0 {
		first := 0
		for i := range fields {
			if fields[i].At < fields[first].At {
				first = i
			}
		}
		switch field := fields[first]; {
		case field.Value == nil:
		case field.At == model.At:
			n.name(field, 0)
		case field.At == counted.At:
			n.request("generateContentRequest.", field.Value, field.At)
		default:
			n.requests(field)
		}
		fields = append(fields[:first], fields[first+1:]...)
	}
	return n.at, n.refusal
}

type named struct {
	at      []dialect.Edit
	refusal *Error
}

// name notes a model's name. base is where the object stands that has it.
func (n *named) name(field jsonscan.Field, base int) {
	if len(field.Value) > 0 && field.Value[0] == '"' {
		at := base + field.At
		n.at = append(n.at, dialect.Edit{From: at, To: at + len(field.Value)})
	}
}

func (n *named) request(prefix string, value []byte, base int) {
	var space [16]jsonscan.Field
	fields, _ := jsonscan.Fields(space[:0], value, nil) // of another type: the upstream's to refuse
	found, refusal := pick(fields, prefix, "model")
	if refusal != nil {
		n.refusal = refusal
		return
	}
	n.name(found[0], base)
}

func (n *named) requests(list jsonscan.Field) {
	at := 0
	elements(list.Value, func(element []byte) {
		// An element is a part of the list's memory.
		n.request("requests["+strconv.Itoa(at)+"].", element, list.At+cap(list.Value)-cap(element))
		at++
	})
}
