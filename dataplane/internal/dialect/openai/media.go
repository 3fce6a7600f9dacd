package openai

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

func (r *reading) image(v jsonvalue.Value, media *chat.Media) *chat.Fault {
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "url":
			return field.Reference(media)
		case "detail":
			return field.Text(&media.Detail)
		}
		r.lose("messages.content.image_url", name)
		return nil
	})
	if fault == nil && media.URL == "" && media.Data == "" {
		fault = v.Child("url", nil).Fault(jsonvalue.ReferenceWanted)
	}
	return fault
}

func (r *reading) audio(v jsonvalue.Value, media *chat.Media) *chat.Fault {
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "data":
			return field.Base64(&media.Data)
		case "format":
			var format string
			fault := field.OneOf(&format, "wav", "mp3")
			media.Type = audioTypes[format]
			return fault
		}
		r.lose("messages.content.input_audio", name)
		return nil
	})
	switch {
	case fault != nil:
		return fault
	case media.Data == "":
		return v.Child("data", nil).Fault(jsonvalue.Base64Wanted)
	case media.Type == "":
		return v.Child("format", nil).Fault("It must be one of: wav, mp3.")
	}
	return nil
}

var (
	audioTypes   = map[string]string{"wav": "audio/wav", "mp3": "audio/mpeg"}
	audioFormats = map[string]string{"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
)

// file reads a document. An id is of a file that one provider keeps: no other has it.
func (r *reading) file(v jsonvalue.Value, media *chat.Media) *chat.Fault {
	var data jsonvalue.Value
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "filename":
			return field.Text(&media.Name)
		case "file_data":
			data = field
			return nil
		case "file_id":
			return field.Fault("The provider of this route can't read files that were uploaded elsewhere. Send the content as file_data.")
		}
		r.lose("messages.content.file", name)
		return nil
	})
	if fault != nil {
		return fault
	}
	if data.Null() {
		return v.Child("file_data", nil).Fault(jsonvalue.ReferenceWanted)
	}
	if raw := jsonscan.Text(data.Raw); !strings.Contains(raw, ":") {
		media.Type = jsonvalue.TypeOfName(media.Name)
		return data.Base64(&media.Data)
	}
	return data.Reference(media)
}
