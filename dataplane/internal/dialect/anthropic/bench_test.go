package anthropic_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// body is the golden request, in total of about the given bytes.
func body(size int) []byte {
	more := strings.Repeat("how much water passed ", (size-len(goldenRequest))/22)
	return []byte(strings.Replace(goldenRequest, "And now?", more, 1))
}

// What passes through costs the same however large it is.
func TestPassThroughAllocatesNothingThatGrows(t *testing.T) {
	parts := make([][]byte, 0, 4)
	allocations := func(size int) float64 {
		text := body(size)
		return testing.AllocsPerRun(100, func() {
			request, refusal := anthropic.ParseRequest(text)
			if refusal != nil {
				t.Fatal(refusal)
			}
			parts = request.Splice(parts[:0], text, []byte(`"up"`))
		})
	}
	small, large := allocations(4<<10), allocations(4<<20)
	if small != large || small > 6 {
		t.Errorf("%v allocations for 4 KB, %v for 4 MB", small, large)
	}
	events := testing.AllocsPerRun(100, func() {
		for _, data := range goldenStream[1:22] {
			raw := []byte(data)
			_ = anthropic.Done(raw) || anthropic.Speaks(raw) || anthropic.Finishes(raw)
		}
	})
	if events > 21 { // the copies of this test
		t.Errorf("%v allocations for 21 events", events)
	}
}

func BenchmarkParseRequest20KB(b *testing.B) {
	text := body(20 << 10)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, refusal := anthropic.ParseRequest(text); refusal != nil {
			b.Fatal(refusal)
		}
	}
}

// BenchmarkTranslate20KB is a request read and written: below 200 µs.
func BenchmarkTranslate20KB(b *testing.B) {
	text := body(20 << 10)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		request, fault := anthropic.NewSurface().Request(text)
		if fault != nil {
			b.Fatal(fault)
		}
		if _, _, err := anthropic.NewProvider().Request(request); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvent is a delta read and written: below 5 µs.
func BenchmarkEvent(b *testing.B) {
	provider, surface := anthropic.NewProvider(), anthropic.NewSurface()
	steps, _, _ := events(provider, goldenStream[0], `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
	for _, step := range steps {
		surface.Event(nil, step)
	}
	data := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" how much water passed"}}`)
	var space []chat.Event
	wire := make([]byte, 0, 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		read, _, err := provider.Events(space[:0], nil, data)
		if err != nil || len(read) != 1 {
			b.Fatal(err)
		}
		space, wire = read, surface.Event(wire[:0], read[0])
	}
}
