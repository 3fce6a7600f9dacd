package bedrock

import (
	"fmt"
	"path"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// formats by MIME type.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html,
// API_runtime_DocumentBlock.html, API_runtime_AudioBlock.html
var formats = map[chat.Kind]map[string]string{
	chat.Image: {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"},
	chat.Document: {
		"application/pdf": "pdf", "text/csv": "csv", "application/msword": "doc", "application/vnd.ms-excel": "xls",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":       "xlsx",
		"text/html": "html", "text/plain": "txt", "text/markdown": "md",
	},
	chat.Audio: {
		"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/aac": "aac",
		"audio/flac": "flac", "audio/ogg": "ogg", "audio/opus": "opus", "audio/mp4": "mp4", "audio/m4a": "m4a", "audio/webm": "webm",
	},
}

var blockNames = map[chat.Kind]string{chat.Image: "image", chat.Document: "document", chat.Audio: "audio"}

// media writes a file, by value or where S3 has it: Bedrock fetches none from elsewhere.
func (w *writer) media(p *chat.Part) {
	m := p.Media
	format := formatOf(p.Kind, m)
	switch {
	case m.Data == "" && !strings.HasPrefix(m.URL, "s3://"), format == "" && !strings.HasPrefix(m.Type, "text/"):
		w.lossy.Add("messages." + blockNames[p.Kind])
		return
	case format == "":
		w.lossy.Add("messages.media_type")
		format = "txt"
	}
	w.Item('{')
	w.Open(blockNames[p.Kind], '{')
	w.Text("format", format)
	if p.Kind == chat.Document {
		w.Text("name", w.documentName(m.Name))
	}
	w.Open("source", '{')
	if m.Data != "" {
		w.Text("bytes", m.Data)
	} else {
		w.Open("s3Location", '{')
		w.Text("uri", m.URL)
		w.End("}")
	}
	w.End("}}}")
	if m.Detail != "" && m.Detail != "auto" {
		w.lossy.Add("messages.detail")
	}
}

// formatOf goes by the type, or by the name where a URL has no type.
func formatOf(kind chat.Kind, m *chat.Media) string {
	if m.Type != "" {
		major, _, _ := strings.Cut(strings.ToLower(m.Type), ";")
		return formats[kind][strings.TrimSpace(major)]
	}
	extension := strings.TrimPrefix(strings.ToLower(path.Ext(m.URL)), ".")
	if extension == "jpg" {
		extension = "jpeg"
	}
	for _, format := range formats[kind] {
		if format == extension {
			return format
		}
	}
	return ""
}

const maxDocumentName = 180

// documentName is of the few characters that Bedrock takes, and no other document's.
func (w *writer) documentName(said string) string {
	stem := strings.TrimSuffix(said, path.Ext(said))
	name := strings.Join(strings.FieldsFunc(stem, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && !strings.ContainsRune("-()[]", c)
	}), " ")
	name = strings.TrimSpace(name[:min(len(name), maxDocumentName)])
	if name == "" {
		name = "document"
	}
	unique := name
	for n := 2; w.documents[unique]; n++ {
		unique = fmt.Sprintf("%s (%d)", name, n)
	}
	if w.documents == nil {
		w.documents = map[string]bool{}
	}
	w.documents[unique] = true
	if said != "" && unique != stem {
		w.lossy.Add("messages.document_name")
	}
	return unique
}
