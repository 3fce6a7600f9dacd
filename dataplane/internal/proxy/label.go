package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/proto/contract/batch"
)

// maxMetadataBytes is what the largest labels take with every character escaped.
const maxMetadataBytes = 32 << 10

var (
	errNoObject   = errors.New(`it is no JSON object of strings, such as {"team":"search"}`)
	errManyLabels = fmt.Errorf("it has more than %d names", batch.MaxLabels)
	errLabelTwice = errors.New("it has a name twice")
	errLabelName  = fmt.Errorf("a name has 1 to %d of the characters A-Z a-z 0-9 . _ -", batch.MaxLabelNameBytes)
	errLabelValue = fmt.Errorf("a value has at most %d bytes of printable characters", batch.MaxLabelValueBytes)
)

// label takes a JSON object of strings as the request's labels, all of it or nothing.
func (e *exchange) label(value string) error {
	if len(value) > maxMetadataBytes {
		return fmt.Errorf("it has %d bytes, at most %d are accepted", len(value), maxMetadataBytes)
	}
	if !utf8.ValidString(value) {
		return errNotPrintable
	}
	labels, err := readLabels(json.NewDecoder(strings.NewReader(value)))
	if err == nil {
		e.words.Labels = labels
	}
	return err
}

// readLabels keeps the order in which they came.
func readLabels(from *json.Decoder) ([]redact.Label, error) {
	if open, err := from.Token(); err != nil || open != json.Delim('{') {
		return nil, errNoObject
	}
	var labels []redact.Label
	seen := map[string]bool{}
	for from.More() {
		label, err := readLabel(from)
		switch {
		case err != nil:
			return nil, err
		case seen[label.Name]:
			return nil, errLabelTwice
		case len(labels) == batch.MaxLabels:
			return nil, errManyLabels
		}
		seen[label.Name] = true
		labels = append(labels, label)
	}
	if _, err := from.Token(); err != nil { // its end
		return nil, errNoObject
	}
	if _, err := from.Token(); !errors.Is(err, io.EOF) { // nothing behind it
		return nil, errNoObject
	}
	return labels, nil
}

func readLabel(from *json.Decoder) (label redact.Label, err error) {
	name, nameErr := from.Token()
	value, valueErr := from.Token()
	named, _ := name.(string) // it is one, or there is an error
	said, isText := value.(string)
	switch {
	case nameErr != nil || valueErr != nil || !isText:
		return label, errNoObject
	case !isLabelName(named):
		return label, errLabelName
	case len(said) > batch.MaxLabelValueBytes || !isPrintable(said):
		return label, errLabelValue
	}
	return redact.Label{Name: named, Value: said}, nil
}

func isLabelName(name string) bool {
	return name != "" && len(name) <= batch.MaxLabelNameBytes && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}

// isPrintable leaves out what shows as something else in a log or a terminal, and what stands
// for text that could not be read.
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) })
}
