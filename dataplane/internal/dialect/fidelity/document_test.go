package fidelity

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const document = "../../../../docs/fidelity.md"

const preamble = `# What translation keeps

Where an application and a provider speak the same dialect, bytes pass as they came but for
the model's name, and everything is kept. Where they do not, the agent translates. What a
dialect has no place for is named in the answer's header X-Weir-Lossy, in the words of the
application's dialect; a strict route does not send such a request (400 not_translatable).

yes: it arrives. emulated: by something else that does the same. no: it is left out, and the
header says these names. –: the dialect can't say it. Azure OpenAI is as openai, Vertex AI as
gemini, and takes metadata as labels. What a model refuses is left out, too: the columns are of gpt-5, claude-opus-4-8 (bedrock:
that model there) and gemini-3-pro, and Claude Opus 4.8 takes no temperature, which older ones do.

This page is written by the tests of dataplane/internal/dialect/fidelity, which fail when it
is stale: ` + "`WEIR_WRITE_FIDELITY=1 go test ./dataplane/internal/dialect/fidelity`" + ` writes it anew.
`

func render() string {
	var page strings.Builder
	page.WriteString(preamble)
	for _, s := range surfaces {
		fmt.Fprintf(&page, "\n## Requests of %s\n\n", s.name)
		table(&page, len(features), func(i int, p provider) (string, cell) {
			got, _ := features[i].request(s, p)
			return features[i].name, got
		})
	}
	for _, s := range surfaces {
		fmt.Fprintf(&page, "\n## Answers to %s\n\n", s.name)
		table(&page, len(answers), func(i int, p provider) (string, cell) {
			got, _ := answers[i].answer(s, p)
			return answers[i].name, got
		})
	}
	return page.String()
}

// table leaves out rows that no column has.
func table(page *strings.Builder, rows int, at func(int, provider) (string, cell)) {
	page.WriteString("| |")
	for _, p := range providers {
		page.WriteString(" " + p.name + " |")
	}
	page.WriteString("\n|---|" + strings.Repeat("---|", len(providers)) + "\n")
	for i := range rows {
		var line strings.Builder
		said := false
		for _, p := range providers {
			name, got := at(i, p)
			if line.Len() == 0 {
				line.WriteString("| " + name + " |")
			}
			said = said || got != unsaid
			line.WriteString(" " + string(got) + " |")
		}
		if said {
			page.WriteString(line.String() + "\n")
		}
	}
}

func TestTheDocumentIsTrue(t *testing.T) {
	want := render()
	if os.Getenv("WEIR_WRITE_FIDELITY") != "" {
		if err := os.WriteFile(filepath.FromSlash(document), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.FromSlash(document))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/fidelity.md is stale: WEIR_WRITE_FIDELITY=1 go test ./dataplane/internal/dialect/fidelity writes it anew")
	}
}
