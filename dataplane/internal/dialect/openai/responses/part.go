package responses

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// ofRole are the types of content that items of a role have; a tool's are those of a
// function_call_output.
var ofRole = map[string]string{
	"user":      "input_text input_image input_file",
	"tool":      "input_text input_image input_file",
	"system":    "input_text",
	"developer": "input_text",
	"assistant": "output_text input_text refusal",
}

// content reads a string or parts; empty text is no part.
func (r *reading) content(v value, role string) (parts []chat.Part, fault *chat.Fault) {
	switch {
	case len(v.Raw) > 0 && v.Raw[0] == '"':
		if text := jsonscan.Text(v.Raw); text != "" {
			parts = append(parts, chat.Part{Kind: chat.Text, Text: text})
		}
		return parts, nil
	case len(v.Raw) == 0 || v.Raw[0] != '[':
		return nil, v.Fault("It must be a string or an array of parts.")
	}
	fault = v.Array(func(_ int, element value) *chat.Fault {
		part, fault := r.part(element, role)
		if part.Kind != chat.Text || part.Text != "" {
			parts = append(parts, part)
		}
		return fault
	})
	return parts, fault
}

func (r *reading) part(v value, role string) (part chat.Part, fault *chat.Fault) {
	var kind string
	media := &chat.Media{}
	fault = v.Object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.OneOf(&kind, strings.Fields(ofRole[role])...)
		case "text", "refusal":
			return field.Text(&part.Text)
		case "detail":
			return field.Text(&media.Detail)
		case "image_url", "file_url":
			return field.Reference(media)
		case "filename":
			return field.Text(&media.Name)
		case "file_data":
			return readData(field, media)
		case "file_id":
			return field.Fault("The provider of this route can't read files that were uploaded elsewhere. Send the content, or a URL.")
		case "prompt_cache_breakpoint":
			part.Cache = &chat.CacheMark{}
		case "annotations", "logprobs", "parsed": // of an answer's text, sent back
		default:
			r.lost.Note("input.content", name)
		}
		return nil
	})
	switch kind {
	case "":
		if fault == nil {
			fault = v.Child("type", nil).Fault("It must be the type of the part, as a string.")
		}
	case "refusal":
		part.Kind = chat.Refusal
	case "input_image":
		part.Kind, part.Media = chat.Image, media
	case "input_file":
		part.Kind, part.Media, media.Detail = chat.Document, media, ""
		if media.Data != "" && media.Type == "" {
			media.Type = jsonvalue.TypeOfName(media.Name)
		}
	}
	if fault == nil && part.Media != nil && media.URL == "" && media.Data == "" {
		fault = v.Child(map[chat.Kind]string{chat.Image: "image_url", chat.Document: "file_data"}[part.Kind], nil).Fault(jsonvalue.ReferenceWanted)
	}
	return part, fault
}

// readData reads the data of a file, with its type or without.
func readData(v value, media *chat.Media) *chat.Fault {
	if strings.HasPrefix(jsonscan.Text(v.Raw), "data:") {
		return v.Reference(media)
	}
	return v.Base64(&media.Data)
}
