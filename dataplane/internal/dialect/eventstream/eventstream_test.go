package eventstream_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/eventstream"
)

const limit = 1 << 10

// frame is one event whose headers are strings, in pairs.
func frame(payload string, pairs ...string) string {
	var headers []byte
	for i := 0; i < len(pairs); i += 2 {
		headers = append(append(headers, byte(len(pairs[i]))), pairs[i]...)
		headers = binary.BigEndian.AppendUint16(append(headers, 7), uint16(len(pairs[i+1])))
		headers = append(headers, pairs[i+1]...)
	}
	return framed(headers, payload)
}

func framed(headers []byte, payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, headers...), payload...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

func event(name, payload string) string {
	return frame(payload, ":message-type", "event", ":event-type", name, ":content-type", "application/json")
}

type read struct {
	raw    string
	events []string // type and data
	torn   bool
	err    error
}

func readAll(source io.Reader) read {
	reader := eventstream.NewReader(source, nil, limit)
	var got read
	for {
		event, err := reader.Next()
		if err != nil {
			got.torn, got.err = reader.Torn(), err
			return got
		}
		got.raw += string(event.Raw)
		got.events = append(got.events, string(event.Type)+"|"+string(event.Data))
	}
}

func TestEvents(t *testing.T) {
	for name, test := range map[string]struct {
		stream string
		want   []string
	}{
		"empty":     {"", nil},
		"two":       {event("messageStart", `{"role":"assistant"}`) + event("messageStop", "{}"), []string{`messageStart|{"role":"assistant"}`, "messageStop|{}"}},
		"bare":      {frame(""), []string{"|"}},
		"exception": {frame(`{"message":"slow"}`, ":message-type", "exception", ":exception-type", "throttlingException"), []string{`!throttlingException|{"message":"slow"}`}},
		"error":     {frame("", ":message-type", "error", ":error-code", "InternalError", ":error-message", "lost"), []string{"!InternalError|lost"}},
		"after_one": {frame("", ":message-type", "error", ":error-code", "E", ":error-message", "m") + event("metadata", "{}"), []string{"!E|m", "metadata|{}"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, source := range []io.Reader{strings.NewReader(test.stream), iotest.OneByteReader(strings.NewReader(test.stream)), iotest.DataErrReader(strings.NewReader(test.stream))} {
				want := read{raw: test.stream, events: test.want, err: io.EOF}
				if diff := cmp.Diff(want, readAll(source), cmp.AllowUnexported(read{}), cmp.Comparer(errors.Is)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestPublishedFrames reads those that AWS's SDKs share as their test vectors; the first
// has a header of every kind. No header of theirs names an event.
func TestPublishedFrames(t *testing.T) {
	for _, text := range []string{
		"000000cc000000af0fae64ca0a6576656e742d74797065040000a00c0c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0a626f6f6c2066616c73650109626f6f6c207472756500046279746502cf08627974652062756606001449276d2061206c6974746c6520746561706f74210974696d657374616d70080000000000845fed05696e74313603002a05696e7436340500000000028757b20475756964090102030405060708090a0b0c0d0e0f107b27666f6f273a27626172277daba5f10c",
		"0000002d0000001041c424b80a6576656e742d74797065040000a00c7b27666f6f273a27626172277d36f480a0",
		"0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936",
		"0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1",
	} {
		got := readAll(hex.NewDecoder(strings.NewReader(text)))
		if len(got.events) != 1 || got.events[0] != "|{'foo':'bar'}" || !errors.Is(got.err, io.EOF) {
			t.Errorf("%s: %+v", text, got)
		}
	}
	for name, text := range map[string]string{
		"header_length": "0000003d0000002107fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1",
		"headers":       "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b61666f6f273a27626172277d8d9c08b1",
		"length":        "0000003e0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1",
		"payload":       "0000001d00000000fd528c5a5b27666f6f273a27626172277dc3653936",
	} {
		if got := readAll(hex.NewDecoder(strings.NewReader(text))); len(got.events) != 0 || !errors.Is(got.err, eventstream.ErrDamaged) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestEveryDamagedBitIsSeen also where the damage is to a length.
func TestEveryDamagedBitIsSeen(t *testing.T) {
	whole := event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a"}}`)
	for bit := range 8 * len(whole) {
		damaged := []byte(whole)
		damaged[bit/8] ^= 1 << (bit % 8)
		if got := readAll(bytes.NewReader(damaged)); len(got.events) != 0 || !errors.Is(got.err, eventstream.ErrDamaged) {
			t.Fatalf("bit %d: %+v", bit, got)
		}
	}
}

func TestFramesThatCantBe(t *testing.T) {
	prelude := func(size, headers uint32) string {
		b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, size), headers)
		return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
	}
	for name, test := range map[string]struct {
		stream string
		want   error
	}{
		"too_short":       {prelude(15, 0), eventstream.ErrDamaged},
		"headers_too_far": {prelude(20, 5), eventstream.ErrDamaged},
		"headers_wrap":    {prelude(20, 1<<32-1), eventstream.ErrDamaged},
		"too_large":       {prelude(limit+1, 0), eventstream.ErrTooLarge},
		"largest":         {prelude(1<<32-1, 0), eventstream.ErrTooLarge},
		"no_name":         {framed([]byte{0, 7, 0, 0}, ""), eventstream.ErrDamaged},
		"name_too_long":   {framed([]byte{9, 'a'}, "payload"), eventstream.ErrDamaged},
		"no_kind":         {framed([]byte{1, 'a'}, "payload"), eventstream.ErrDamaged},
		"unknown_kind":    {framed([]byte{1, 'a', 10}, "payload"), eventstream.ErrDamaged},
		"half_a_length":   {framed([]byte{1, 'a', 7, 0}, "payload"), eventstream.ErrDamaged},
		"value_too_long":  {framed([]byte{1, 'a', 7, 0, 3, 'x'}, "payload"), eventstream.ErrDamaged},
		"half_a_number":   {framed([]byte{1, 'a', 5, 0, 0}, "payload"), eventstream.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			got := readAll(strings.NewReader(event("messageStart", "{}") + test.stream + event("metadata", "{}")))
			if len(got.events) != 1 || !errors.Is(got.err, test.want) || got.torn {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestStreamThatEndsInsideOfAnEvent(t *testing.T) {
	first, second := event("messageStart", "{}"), event("messageStop", "{}")
	for cut := 1; cut < len(second); cut++ {
		got := readAll(strings.NewReader(first + second[:cut]))
		if got.raw != first || !got.torn || !errors.Is(got.err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d: %+v", cut, got)
		}
	}
	broken := errors.New("reset")
	if got := readAll(io.MultiReader(strings.NewReader(first), iotest.ErrReader(broken))); !errors.Is(got.err, broken) || got.torn {
		t.Errorf("%+v", got)
	}
}

func TestEventIsGivenOutAsSoonAsItIsWhole(t *testing.T) {
	source, upstream := io.Pipe()
	defer upstream.Close()
	go func() { _, _ = upstream.Write([]byte(event("a", "1") + event("b", "2") + event("c", "3")[:20])) }()
	reader := eventstream.NewReader(source, nil, limit)
	for _, want := range []string{"a", "b"} {
		event, err := reader.Next()
		if err != nil || string(event.Type) != want {
			t.Fatalf("%q, %v", event.Type, err)
		}
	}
	if reader.Buffered() {
		t.Error("the unfinished event is said to be buffered")
	}
}

func TestSpaceIsUsedAgain(t *testing.T) {
	stream := strings.Repeat(event("contentBlockDelta", strings.Repeat("x", 500)), 200)
	space := make([]byte, 0, 32<<10)
	allocations := testing.AllocsPerRun(5, func() {
		reader := eventstream.NewReader(strings.NewReader(stream), space, limit)
		for {
			if _, err := reader.Next(); err != nil {
				break
			}
		}
		space = reader.Space()
	})
	if allocations > 3 {
		t.Errorf("%v allocations for 200 events", allocations)
	}
}

// parts reads a stream in reads of the given sizes.
type parts struct{ stream, sizes []byte }

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

// FuzzReader: however the stream is split, the same events and the same end come of it,
// and their bytes are how the stream begins.
func FuzzReader(f *testing.F) {
	f.Add([]byte(event("messageStart", "{}")+event("messageStop", "{}")), []byte{0, 3, 7, 0, 0, 40})
	f.Add([]byte(event("metadata", "{}")[:30]), []byte{11, 0})
	f.Add([]byte(framed([]byte{1, 'a', 7, 0, 3, 'x'}, "payload")+frame("", ":message-type", "error")), []byte{0})
	f.Add([]byte(frame(strings.Repeat("x", 2*limit))), bytes.Repeat([]byte{50}, 10))
	f.Fuzz(func(t *testing.T, stream, sizes []byte) {
		whole := readAll(bytes.NewReader(stream))
		split := readAll(&parts{stream: stream, sizes: sizes})
		if !strings.HasPrefix(string(stream), whole.raw) || errors.Is(whole.err, io.EOF) && whole.raw != string(stream) {
			t.Fatalf("bytes changed: %q", stream)
		}
		if diff := cmp.Diff(whole, split, cmp.AllowUnexported(read{}), cmp.Comparer(func(a, b error) bool { return a.Error() == b.Error() })); diff != "" {
			t.Fatalf("%q: %s", stream, diff)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	stream := []byte(strings.Repeat(event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":" how much water passed"},"p":"abcdefghijkl"}`), 1000))
	var space []byte
	b.SetBytes(int64(len(stream)) / 1000)
	b.ReportAllocs()
	for at := 0; at < b.N; {
		reader := eventstream.NewReader(bytes.NewReader(stream), space, limit)
		for ; at < b.N; at++ {
			if _, err := reader.Next(); err != nil {
				break
			}
		}
		space = reader.Space()
	}
}
