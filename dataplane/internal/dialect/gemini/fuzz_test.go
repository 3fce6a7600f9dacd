package gemini_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
)

// FuzzSurfaceRequest: any body gives a request or a fault, and what was read can be
// written and read again.
func FuzzSurfaceRequest(f *testing.F) {
	f.Add([]byte(wire))
	for seed := range uint64(20) {
		body, _, _ := gemini.NewProvider().Request((&dice{Rand: rand.New(rand.NewPCG(seed, 3))}).request())
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		request, fault := gemini.NewSurface().Request(body)
		if (request == nil) == (fault == nil) {
			t.Fatalf("%q: %v and %v", body, request, fault)
		}
		if fault != nil {
			return
		}
		again, _, err := gemini.NewProvider().Request(request)
		if err != nil {
			return
		}
		if _, fault := gemini.NewSurface().Request(again); fault != nil {
			t.Fatalf("%q became %q: %v", body, again, fault)
		}
	})
}

// FuzzProvider: of an answer, whole or as an event, nothing is invented: its texts are in
// the bytes that came.
func FuzzProvider(f *testing.F) {
	for seed := range uint64(20) {
		body, _ := gemini.NewSurface().Answer((&dice{Rand: rand.New(rand.NewPCG(seed, 4))}).answer())
		f.Add(body)
	}
	f.Add([]byte(`{"promptFeedback":{"blockReason":"SAFETY"}}`))
	f.Add([]byte(`{"error":{"code":1,"details":[{"retryDelay":"-1s"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, done, err := gemini.NewProvider().Events(nil, nil, body)
		if done && err != nil {
			t.Fatalf("%q is done and broken: %v", body, err)
		}
		open := map[[2]int]bool{}
		for _, e := range events {
			inOrder(t, open, e)
		}
		gemini.NewProvider().Failure(500, body)
		answer, err := gemini.NewProvider().Answer(body)
		if err != nil {
			return
		}
		if bytes.IndexByte(body, '\\') < 0 && strings.ToValidUTF8(string(body), "") == string(body) {
			for _, choice := range answer.Choices {
				for _, part := range choice.Parts {
					if part.Kind == chat.Call && !bytes.Contains(body, []byte(part.Call.Name)) {
						t.Fatalf("%q calls %q", body, part.Call.Name)
					}
				}
			}
		}
		gemini.NewSurface().Answer(answer)
	})
}

func inOrder(t *testing.T, open map[[2]int]bool, e chat.Event) {
	t.Helper()
	switch {
	case e.Open != nil:
		open[[2]int{e.Open.Choice, e.Open.Index}] = true
	case e.Delta != nil:
		if !open[[2]int{e.Delta.Choice, e.Delta.Index}] {
			t.Fatalf("a delta of what is not open: %+v", e.Delta)
		}
	case e.Close != nil:
		at := [2]int{e.Close.Choice, e.Close.Index}
		if !open[at] {
			t.Fatalf("%v is closed and was not open", at)
		}
		delete(open, at)
	}
}
