package sse_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
)

const limit = 1 << 10

type read struct {
	raw    string
	events []string // type and data of events that are not empty
	torn   bool
	err    error
}

func readAll(source io.Reader) read {
	reader := sse.NewReader(source, nil, limit)
	var got read
	for {
		event, err := reader.Next()
		if err != nil {
			got.torn, got.err = reader.Torn(), err
			return got
		}
		got.raw += string(event.Raw)
		if len(event.Data) > 0 || len(event.Type) > 0 {
			got.events = append(got.events, string(event.Type)+"|"+string(event.Data))
		}
	}
}

func TestEvents(t *testing.T) {
	for name, test := range map[string]struct {
		stream string
		want   []string
	}{
		"line_feeds":      {"data: a\n\ndata:b\n\n", []string{"|a", "|b"}},
		"returns":         {"data: a\r\rdata: b\r\r", []string{"|a", "|b"}},
		"both":            {"event: e\r\ndata: a\r\n\r\ndata: b\r\n\r\n", []string{"e|a", "|b"}},
		"mixed":           {"data: a\r\n\ndata: b\n\rdata: c\n\n", []string{"|a", "|b", "|c"}},
		"many_data_lines": {"data: a\ndata\ndata:  b\n\n", []string{"|a\n\n b"}},
		"comments":        {": ping\n\n:\ndata: a\nid: 1\nretry: 5\n\n", []string{"|a"}},
		"blank_lines":     {"\n\n\ndata: a\n\n\n", []string{"|a"}},
		"byte_order_mark": {"\xef\xbb\xbfdata: a\n\n", []string{"|a"}},
		"unfinished":      {"data: a\n\ndata: [DONE]\n", []string{"|a", "|[DONE]"}},
		"no_end_of_line":  {"data: a", []string{"|a"}},
		"empty":           {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := readAll(strings.NewReader(test.stream))
			want := read{raw: test.stream, events: test.want, err: io.EOF}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(read{}), cmp.Comparer(errors.Is)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBrokenStreamLeavesOutTheUnfinishedEvent(t *testing.T) {
	got := readAll(io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if got.raw != "data: a\n\n" || !errors.Is(got.err, io.ErrUnexpectedEOF) || got.torn {
		t.Errorf("%+v", got)
	}
}

func TestLargeEventsComeInPieces(t *testing.T) {
	large := "data: " + strings.Repeat("x", 5*limit) + "\n\n"
	stream := "data: a\n\n" + large + "data: b\n\n"
	got := readAll(iotest.OneByteReader(strings.NewReader(stream)))
	want := read{raw: stream, events: []string{"|a", "|b"}, err: io.EOF}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(read{}), cmp.Comparer(errors.Is)); diff != "" {
		t.Error(diff)
	}
	got = readAll(iotest.OneByteReader(strings.NewReader(large[:3*limit])))
	if !got.torn || got.raw != large[:3*limit] {
		t.Errorf("a torn large event: torn %v, %d bytes", got.torn, len(got.raw))
	}
}

func TestEventIsGivenOutAsSoonAsItIsWhole(t *testing.T) {
	source, upstream := io.Pipe()
	defer upstream.Close()
	go func() { _, _ = upstream.Write([]byte("data: a\n\ndata: b\n\ndata: c\n")) }()
	reader := sse.NewReader(source, nil, limit)
	for _, want := range []string{"a", "b"} {
		event, err := reader.Next()
		if err != nil || string(event.Data) != want {
			t.Fatalf("%q, %v", event.Data, err)
		}
	}
	if reader.Buffered() {
		t.Error("the unfinished event is said to be buffered")
	}
}

// parts reads a stream in reads of the given sizes.
type parts struct {
	stream []byte
	sizes  []byte
}

func (p *parts) Read(b []byte) (int, error) {
	if len(p.stream) == 0 {
		return 0, io.EOF
	}
	n := len(p.stream)
	if len(p.sizes) > 0 {
		n, p.sizes = min(n, int(p.sizes[0])+1), p.sizes[1:]
	}
	n = copy(b, p.stream[:n])
	p.stream = p.stream[n:]
	return n, nil
}

// FuzzReader: however the stream is split, the bytes are the stream, and below
// the limit the events are those of the stream read at once.
func FuzzReader(f *testing.F) {
	f.Add([]byte("data: a\r\n\r\ndata: b\rdata: c\n\n"), []byte{0, 1, 2, 0, 0, 0, 5})
	f.Add([]byte("\r\r\n\n\r\n\xef\xbb\xbfevent: x\n"), []byte{0, 0, 0, 0})
	f.Add([]byte("data: "+strings.Repeat("x", 3*limit)+"\r\n\r\n"), bytes.Repeat([]byte{40}, 50))
	f.Fuzz(func(t *testing.T, stream, sizes []byte) {
		whole := readAll(bytes.NewReader(stream))
		split := readAll(&parts{stream: stream, sizes: sizes})
		if whole.raw != string(stream) || split.raw != string(stream) {
			t.Fatalf("bytes changed: %q", stream)
		}
		if len(stream) < limit && !cmp.Equal(whole.events, split.events) {
			t.Fatalf("%q: %q at once, %q in parts", stream, whole.events, split.events)
		}
	})
}
