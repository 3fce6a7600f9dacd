package gemini

import (
	"path"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// A part of a content is one of text, data, a call or a call's result; a thought is a
// text that says so. https://ai.google.dev/api/caching#Part

// Google documents these in place of a signature for calls that another model made:
// https://ai.google.dev/gemini-api/docs/thought-signatures
const (
	unsigned    = "skip_thought_signature_validator"
	unsignedToo = "context_engineering_is_the_way_to_go"
)

// part is a part as it stands on the wire.
type part struct {
	chat.Part
	// result is a functionResponse as it came; nil: none.
	result []byte
}

// part reads a part; its path without indices is for what has no place.
func (s *scan) part(at, bare string, value []byte) part {
	var p part
	var resolution []byte
	data, thought := 0, false
	s.fields(at, value, func(name string, value []byte) {
		switch at := at + "." + name; name {
		case "text":
			p.Text = s.text(at, value)
		case "thought":
			thought = s.flag(at, value)
		case "thoughtSignature":
			p.Signature = s.text(at, value)
		case "inlineData", "fileData":
			p.Kind, p.Media = s.media(at, bare+"."+name, value)
		case "functionCall":
			p.Kind, p.Part.Call = chat.Call, s.call(at, bare+"."+name, value)
		case "functionResponse":
			p.Kind, p.result = chat.Result, value
		case "mediaResolution":
			resolution = value
			return
		default:
			s.drop(bare, name)
			return
		}
		if name != "thought" && name != "thoughtSignature" {
			data++
		}
	})
	if data > 1 {
		s.wrong(at, "It has more than one of text, inlineData, fileData, functionCall and functionResponse.")
	}
	if p.Kind == chat.Text && thought {
		p.Kind = chat.Thinking
	}
	if p.Signature == unsigned || p.Signature == unsignedToo {
		p.Signature = ""
	}
	if resolution != nil {
		s.resolution(bare, resolution, &p)
	}
	return p
}

// details are OpenAI's words for how close to look at an image.
var details = map[string]string{"MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_HIGH": "high"}

func (s *scan) resolution(bare string, value []byte, p *part) {
	level := ""
	object(value, func(name string, value []byte) {
		if name == "level" {
			level = text(value)
		}
	})
	if detail, ok := details[level]; ok && p.Kind == chat.Image {
		p.Media.Detail = detail
	} else {
		s.drop(bare, "mediaResolution")
	}
}

func (s *scan) call(at, bare string, value []byte) *chat.ToolCall {
	call := &chat.ToolCall{Arguments: "{}"}
	s.fields(at, value, func(name string, value []byte) {
		switch at := at + "." + name; name {
		case "id":
			call.ID = s.text(at, value)
		case "name":
			call.Name = s.text(at, value)
		case "args":
			call.Arguments = s.object(at, value)
		default:
			s.drop(bare, name)
		}
	})
	if call.Name == "" {
		s.wrong(at+".name", "It is missing: the name of a function is wanted.")
	}
	return call
}

// media reads inlineData and fileData.
func (s *scan) media(at, bare string, value []byte) (chat.Kind, *chat.Media) {
	media := &chat.Media{}
	s.fields(at, value, func(name string, value []byte) {
		switch at := at + "." + name; name {
		case "mimeType":
			media.Type = s.text(at, value)
		case "displayName":
			media.Name = s.text(at, value)
		case "data":
			media.Data = standardBase64(s.text(at, value))
		case "fileUri":
			media.URL = s.text(at, value)
		default:
			s.drop(bare, name)
		}
	})
	switch {
	case media.Data == "" && media.URL == "":
		s.wrong(at, "It has no data: base64 in inlineData.data or a URL in fileData.fileUri is wanted.")
	case media.Data != "" && media.Type == "":
		s.wrong(at+".mimeType", "It is missing: the MIME type of the data is wanted.")
	}
	return kindOf(media), media
}

// standardBase64 is of either alphabet, padded or not, as protocol buffers allow.
func standardBase64(data string) string {
	if strings.ContainsAny(data, "-_") {
		data = strings.NewReplacer("-", "+", "_", "/").Replace(data)
	}
	if rest := len(data) % 4; rest > 1 {
		data += "=="[:4-rest]
	}
	return data
}

// kindOf tells images and audio; anything else is a document. A URL without a type is
// judged by its name.
func kindOf(media *chat.Media) chat.Kind {
	major, _, _ := strings.Cut(strings.ToLower(media.Type), "/")
	switch major {
	case "image":
		return chat.Image
	case "audio":
		return chat.Audio
	case "":
		location, _, _ := strings.Cut(media.URL, "?")
		switch strings.ToLower(path.Ext(location)) {
		case ".png", ".jpg", ".jpeg", ".webp", ".gif", ".heic", ".heif":
			return chat.Image
		}
	}
	return chat.Document
}
