package openai

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

func (r *reading) image(v value, media *chat.Media) *chat.Fault {
	fault := v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "url":
			return field.reference(media)
		case "detail":
			return field.text(&media.Detail)
		}
		r.lose("messages.content.image_url", name)
		return nil
	})
	if fault == nil && media.URL == "" && media.Data == "" {
		fault = v.child("url", nil).fault(referenceWanted)
	}
	return fault
}

const referenceWanted = "It must be an http(s) URL, or data:TYPE;base64,DATA."

// reference reads a URL, which may hold the data.
func (v value) reference(media *chat.Media) *chat.Fault {
	var url string
	if fault := v.text(&url); fault != nil {
		return fault
	}
	if head, _, _ := strings.Cut(url, ":"); strings.EqualFold(head, "http") || strings.EqualFold(head, "https") {
		media.URL = url
		return nil
	}
	head, data, found := strings.Cut(url, ",")
	head, isData := strings.CutPrefix(head, "data:")
	head, isBase64 := strings.CutSuffix(head, ";base64")
	if !found || !isData || !isBase64 || !isBase64Text(data) {
		return v.fault(referenceWanted)
	}
	media.Type, _, _ = strings.Cut(head, ";")
	media.Data = data
	return nil
}

// isBase64Text tells the standard alphabet, padded.
func isBase64Text(text string) bool {
	data := strings.TrimRight(text, "=")
	if data == "" || len(text)%4 != 0 || len(text)-len(data) > 2 {
		return false
	}
	for i := range len(data) {
		if !base64Alphabet[data[i]] {
			return false
		}
	}
	return true
}

var base64Alphabet = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = true
	}
	return table
}()

func (r *reading) audio(v value, media *chat.Media) *chat.Fault {
	fault := v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "data":
			return field.base64(&media.Data)
		case "format":
			var format string
			fault := field.oneOf(&format, "wav", "mp3")
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
		return v.child("data", nil).fault(base64Wanted)
	case media.Type == "":
		return v.child("format", nil).fault("It must be one of: wav, mp3.")
	}
	return nil
}

const base64Wanted = "It must be base64 of the standard alphabet, padded."

var (
	audioTypes   = map[string]string{"wav": "audio/wav", "mp3": "audio/mpeg"}
	audioFormats = map[string]string{"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
)

func (v value) base64(into *string) *chat.Fault {
	if fault := v.text(into); fault != nil {
		return fault
	}
	if !isBase64Text(*into) {
		return v.fault(base64Wanted)
	}
	return nil
}

// file reads a document. An id is of a file that one provider keeps: no other has it.
func (r *reading) file(v value, media *chat.Media) *chat.Fault {
	var data value
	fault := v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "filename":
			return field.text(&media.Name)
		case "file_data":
			data = field
			return nil
		case "file_id":
			return field.fault("The provider of this route can't read files that were uploaded elsewhere. Send the content as file_data.")
		}
		r.lose("messages.content.file", name)
		return nil
	})
	if fault != nil {
		return fault
	}
	if data.null() {
		return v.child("file_data", nil).fault(referenceWanted)
	}
	if raw := text(data.raw); !strings.Contains(raw, ":") {
		media.Type = typeOfName(media.Name)
		return data.base64(&media.Data)
	}
	return data.reference(media)
}

// typeOfName is the type of a document whose data does not say: OpenAI takes it from
// the name, PDF at first.
func typeOfName(name string) string {
	at := strings.LastIndexByte(name, '.')
	switch strings.ToLower(name[at+1:]) {
	case "txt", "log":
		return "text/plain"
	case "md":
		return "text/markdown"
	case "csv":
		return "text/csv"
	case "html", "htm":
		return "text/html"
	case "json":
		return "application/json"
	}
	return "application/pdf"
}
