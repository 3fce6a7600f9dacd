package gemini

import (
	"path"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
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
	said    chat.Part
	thought bool
	// data is how many of the fields it has of which one is wanted.
	data int
	// result is a functionResponse, resolution a mediaResolution, as they came; nil: none.
	result, resolution []byte
}

// part reads a part; bare is its path without indices, for what has no place.
func (s *scan) part(at, bare string, value []byte) part {
	var p part
	s.fields(at, value, func(name string, value []byte) { s.partField(&p, at, bare, name, value) })
	if p.data > 1 {
		s.wrong(at, "It has more than one of text, inlineData, fileData, functionCall and functionResponse.")
	}
	if p.said.Kind == chat.Text && p.thought {
		p.said.Kind = chat.Thinking
	}
	if p.said.Signature == unsigned || p.said.Signature == unsignedToo {
		p.said.Signature = ""
	}
	if p.resolution != nil {
		s.resolution(&p, bare)
	}
	return p
}

func (s *scan) partField(p *part, at, bare, name string, value []byte) {
	p.data++
	switch at := at + "." + name; name {
	case "text":
		p.said.Text = s.text(at, value)
	case "inlineData", "fileData":
		p.said.Kind, p.said.Media = s.media(at, bare+"."+name, value)
	case "functionCall":
		p.said.Kind, p.said.Call = chat.Call, s.call(at, bare+"."+name, value)
	case "functionResponse":
		p.said.Kind, p.result = chat.Result, value
	default:
		p.data--
		s.partMark(p, at, bare, name, value)
	}
}

// partMark takes over what says more about a part.
func (s *scan) partMark(p *part, at, bare, name string, value []byte) {
	switch name {
	case "thought":
		p.thought = s.flag(at, value)
	case "thoughtSignature":
		p.said.Signature = s.text(at, value)
	case "mediaResolution":
		p.resolution = value
	default:
		s.drop(bare, name)
	}
}

// details are OpenAI's words for how close to look at an image.
var details = map[string]string{"MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_HIGH": "high"}

func (s *scan) resolution(p *part, bare string) {
	level := ""
	object(p.resolution, func(name string, value []byte) {
		if name == "level" {
			level = jsonscan.Text(value)
		}
	})
	if detail, ok := details[level]; ok && p.said.Kind == chat.Image {
		p.said.Media.Detail = detail
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
