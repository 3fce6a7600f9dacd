// Package fidelity finds out what every translation keeps of a request and of an answer,
// and holds docs/fidelity.md to it. A feature that neither arrives nor is named as lost
// fails its test.
package fidelity

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

// surface is a dialect that applications speak.
type surface struct {
	name string
	// own is the provider whose dialect it is: bytes pass as they came.
	own  string
	make func() chat.Surface
}

var surfaces = []surface{
	{"chat completions", "openai", func() chat.Surface { return openai.NewSurface() }},
	{"responses", "", func() chat.Surface { return responses.NewSurface() }},
	{"messages", "anthropic", func() chat.Surface { return anthropic.NewSurface() }},
	{"generateContent", "gemini", func() chat.Surface { return gemini.NewSurface() }},
}

// provider is a dialect that upstreams speak.
type provider struct {
	name, model string
	make        func() chat.Provider
}

var providers = []provider{
	{"openai", "gpt-5", func() chat.Provider { return openai.NewProvider() }},
	{"openai-compatible", "llama", func() chat.Provider { return openai.NewCompatible() }},
	{"anthropic", "claude-opus-4-8", func() chat.Provider { return anthropic.NewProvider() }},
	{"gemini", "gemini-3-pro", func() chat.Provider { return gemini.NewProvider() }},
	{"bedrock", "anthropic.claude-opus-4-8", func() chat.Provider { return bedrock.NewProvider() }},
}

// cell is what becomes of a feature on one way.
type cell string

const (
	kept     cell = "yes"
	emulated cell = "emulated"
	unsaid   cell = "–" // the surface can't say it
	silent   cell = "lost in silence"
)

// judge tells what became of a feature whose marks should be in what was written.
func judge(written []byte, marks []string, lossy chat.Lossy) cell {
	var compact bytes.Buffer
	if json.Compact(&compact, written) != nil {
		compact.Write(written)
	}
	there := kept
	for _, mark := range marks {
		mark, instead := strings.CutPrefix(mark, "~")
		switch {
		case !bytes.Contains(compact.Bytes(), []byte(mark)):
			there = ""
		case instead && there == kept:
			there = emulated
		}
	}
	switch {
	case there == "" && len(lossy) == 0:
		return silent
	case there == "":
		return cell("no: `" + strings.Join(lossy, "`, `") + "`")
	case len(lossy) > 0:
		return there + cell(", without `"+strings.Join(lossy, "`, `")+"`")
	}
	return there
}

// request is what becomes of a feature of a request.
func (f *feature) request(s surface, p provider) (cell, []byte) {
	body, said := f.ask[s.name]
	if !said {
		return unsaid, nil
	}
	converter := s.make()
	request, fault := converter.Request([]byte(body))
	if fault != nil {
		return cell("refused: `" + fault.Field + "`"), nil
	}
	request.Model = p.model
	sent, lossy, err := p.make().Request(request)
	if err != nil {
		return "refused", nil
	}
	all := append(chat.Lossy{}, request.Lossy...)
	for _, field := range converter.Names(lossy) {
		all.Add(field)
	}
	return judge(sent, f.marksFor(p.name), all), sent
}

func (f *feature) marksFor(name string) []string {
	if own, there := f.carried[name]; there {
		return own
	}
	return f.marks
}

// answer is what becomes of a feature of an answer.
func (f *answered) answer(s surface, p provider) (cell, []byte) {
	body, said := f.told[p.name]
	if !said {
		return unsaid, nil
	}
	answer, err := p.make().Answer([]byte(body))
	if err != nil {
		return cell("refused: " + err.Error()), nil
	}
	converter := s.make()
	written, lossy := converter.Answer(answer)
	all := converter.Names(answer.Lossy)
	for _, field := range lossy {
		all.Add(field)
	}
	marks, own := f.heard[s.name]
	if !own {
		marks = f.marks
	}
	return judge(written, marks, all), written
}

func TestNothingIsLostInSilence(t *testing.T) {
	for _, s := range surfaces {
		for _, p := range providers {
			for i := range features {
				f := &features[i]
				if got, sent := f.request(s, p); got == silent {
					t.Errorf("%s of %s at %s: %s", f.name, s.name, p.name, sent)
				}
			}
			for i := range answers {
				f := &answers[i]
				if got, written := f.answer(s, p); got == silent {
					t.Errorf("%s of %s to %s: %s", f.name, p.name, s.name, written)
				}
			}
		}
	}
}
