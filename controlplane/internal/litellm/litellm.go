// Package litellm reads prices in the format of LiteLLM's
// model_prices_and_context_window.json, exactly: no number passes through a float. What it
// does not take over it names. It does no I/O and decides nothing.
// Format: https://docs.litellm.ai/docs/provider_registration/add_model_pricing
package litellm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/priceoverride"
)

// sample is the entry that explains the format.
const sample = "sample_spec"

// Model is one that was read. Its settings have a price.
type Model struct {
	// Name as the file has it.
	Name     string
	Settings priceoverride.Settings
}

// Left is what was not taken over.
type Left struct {
	// Name of the model; Field that is empty: the model as a whole.
	Name, Field, Reason string
}

// ErrFormat says that a file is none of models.
var ErrFormat = errors.New("want a JSON object of models")

var errNoObject = errors.New("it is no JSON object")

// Read takes the models of the providers that lists names over, with the price list that each
// goes into, in the order of list and model. left is in the order of names and fields.
func Read(file []byte, lists map[string]string) (models []Model, left []Left, err error) {
	entries, twice, err := members(file)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	seen := map[[2]string]string{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if name == sample {
			continue
		}
		r := &reader{name: name}
		settings, taken := r.read(entries[name], lists)
		if taken && twice[name] {
			r.only("", "it is there twice; which of the two counts is not known")
			taken = false
		}
		key := [2]string{settings.PriceList, settings.Model}
		if other, twice := seen[key]; taken && twice {
			r.leave("", "%s is the same model", other)
			taken = false
		}
		left = append(left, r.left...)
		if taken {
			seen[key] = name
			models = append(models, Model{name, settings})
		}
	}
	slices.SortFunc(models, func(a, b Model) int {
		return strings.Compare(a.Settings.PriceList+"/"+a.Settings.Model, b.Settings.PriceList+"/"+b.Settings.Model)
	})
	return models, left, nil
}

// reader reads one model.
type reader struct {
	name string
	left []Left
}

func (r *reader) leave(field, format string, args ...any) {
	r.left = append(r.left, Left{r.name, field, fmt.Sprintf(format, args...)})
}

// only leaves the model as a whole, whatever else was left of it.
func (r *reader) only(field, format string, args ...any) {
	r.left = nil
	r.leave(field, format, args...)
}

func (r *reader) read(entry []byte, lists map[string]string) (priceoverride.Settings, bool) {
	texts, twice, err := members(entry)
	if err != nil {
		r.only("", "%s", errNoObject)
		return priceoverride.Settings{}, false
	}
	fields := make(map[string]any, len(texts))
	for field, text := range texts {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var value any
		_ = decoder.Decode(&value) // it is JSON, as all of the file is
		fields[field] = value
	}
	provider, _ := fields["litellm_provider"].(string)
	list, wanted := lists[provider]
	if !wanted {
		r.only("", "its litellm_provider %q is not to be imported", provider)
		return priceoverride.Settings{}, false
	}
	const wrong = "%s; a part of its prices would be wrong, so that none is imported"
	if provider == searching && fields[searches] != nil {
		r.only(searches, wrong, errSearches)
		return priceoverride.Settings{}, false
	}
	p := prices{reader: r, settings: priceoverride.Settings{PriceList: list, Model: strings.TrimPrefix(r.name, provider+"/")}}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		err := p.take(field, fields[field])
		if twice[field] {
			err = errTwice
		}
		if err != nil {
			r.only(field, wrong, err)
			return priceoverride.Settings{}, false
		}
	}
	if field := p.otherReasoning(); field != "" {
		r.only(field, wrong, errReasoning)
		return priceoverride.Settings{}, false
	}
	if p.some && !p.paid && p.other != "" {
		r.only(p.other, wrong, errFree)
		return priceoverride.Settings{}, false
	}
	if !p.some {
		r.only("", "it has no price of a kind that is known")
		return priceoverride.Settings{}, false
	}
	settings := p.settings.Complete()
	if err := settings.Check(); err != nil {
		r.only("", "%s", err)
		return priceoverride.Settings{}, false
	}
	return settings, true
}

// members of a JSON object, and which of their names are there more than once: readers differ in
// which of those counts.
func members(object []byte) (values map[string]json.RawMessage, twice map[string]bool, err error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return nil, nil, errNoObject
	}
	values, twice = map[string]json.RawMessage{}, map[string]bool{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, nil, err
		}
		text, _ := name.(string) // the decoder takes nothing else for a name
		twice[text] = twice[text] || values[text] != nil
		values[text] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows the JSON object")
	}
	return values, twice, nil
}
