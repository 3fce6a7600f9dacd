package jsonvalue

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// What media must be.
const (
	ReferenceWanted = "It must be an http(s) URL, or data:TYPE;base64,DATA."
	Base64Wanted    = "It must be base64 of the standard alphabet, padded."
)

// Reference reads a URL, which may hold the data.
func (v Value) Reference(media *chat.Media) *chat.Fault {
	var url string
	if fault := v.Text(&url); fault != nil {
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
		return v.Fault(ReferenceWanted)
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

// Base64 reads data.
func (v Value) Base64(into *string) *chat.Fault {
	if fault := v.Text(into); fault != nil {
		return fault
	}
	if !isBase64Text(*into) {
		return v.Fault(Base64Wanted)
	}
	return nil
}

// TypeOfName is the type of a document whose data does not say: OpenAI takes it from
// the name, PDF at first.
func TypeOfName(name string) string {
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
