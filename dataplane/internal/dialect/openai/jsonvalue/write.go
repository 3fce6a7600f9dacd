package jsonvalue

import (
	"bytes"
	"encoding/json"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonout"
)

// AppendQuoted appends text as a JSON string.
func AppendQuoted(dst []byte, text string) []byte { return jsonout.AppendString(dst, text) }

// Encode writes what always encodes; text stays as readable as it came.
func Encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // the caller's raw parts are JSON
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
