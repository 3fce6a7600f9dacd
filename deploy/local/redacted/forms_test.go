package redacted_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// formsOf are the ways in which a text may stand in a store.
func formsOf(text string) (forms map[string][]byte) {
	quoted, _ := json.Marshal(text)
	forms = map[string][]byte{
		"plain": []byte(text), "hex": []byte(hex.EncodeToString([]byte(text))), "HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(text)))),
		"query": []byte(url.QueryEscape(text)), "path": []byte(url.PathEscape(text)),
		"json": bytes.Trim(quoted, `"`), "ascii": []byte(strings.Trim(strconv.QuoteToASCII(text), `"`)), "upper": []byte(strings.ToUpper(text)),
		"quoted": []byte(strings.Trim(strconv.Quote(text), `"`)),
	}
	for shift := range 3 { // whatever stands before it
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			encoded := encoding.EncodeToString(append(make([]byte, shift), text...))
			first, last := (8*shift+5)/6, len(encoded)
			if (shift+len(text))%3 != 0 {
				last-- // what follows is in it
			}
			forms[name+strconv.Itoa(shift)] = []byte(encoded[first:last])
		}
	}
	return forms
}

// canaries are texts by what they are, to be found in all their forms.
type canaries struct {
	texts map[string]string
	// begins tells which hashes of four bytes a form begins with, starts which eight bytes.
	begins [1 << 16]bool
	starts map[uint64][]form
}

type form struct {
	name string // "prompt (hex)"
	text []byte
}

func (c *canaries) add(what, text string) string {
	if c.texts == nil {
		c.texts, c.starts = map[string]string{}, map[uint64][]form{}
	}
	c.texts[what] = text
	for name, spelled := range formsOf(text) {
		start := binary.LittleEndian.Uint64(spelled)
		c.begins[hashOf(start)] = true
		c.starts[start] = append(c.starts[start], form{what + " (" + name + ")", spelled})
	}
	return text
}

// in returns what of them stands in some bytes, each form once. One look at each byte is what
// keeps the search of hundreds of megabytes within seconds.
func (c *canaries) in(content []byte) (found []string) {
	for i := 0; i+8 <= len(content); i++ {
		start := binary.LittleEndian.Uint64(content[i:])
		if !c.begins[hashOf(start)] {
			continue
		}
		for _, f := range c.starts[start] {
			if bytes.HasPrefix(content[i:], f.text) && !slices.Contains(found, f.name) {
				found = append(found, f.name)
			}
		}
	}
	return found
}

func hashOf(start uint64) uint16 { return uint16(uint32(start) * 2654435761 >> 16) }

var unzstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))

var (
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	gzipMagic = []byte{0x1f, 0x8b, 0x08}
)

// unpacked are the parts of a content that are compressed, as they were before: wherever in it
// they begin, and what is in them as well. How long they are, nobody says. clickhouse: it is a
// file of ClickHouse's, whose blocks have no magic.
func unpacked(content []byte, clickhouse bool, each func([]byte)) {
	inner := func(plain []byte) {
		if len(plain) > 0 {
			each(plain)
			unpacked(plain, false, each)
		}
	}
	for at := range places(content, zstdMagic) {
		plain, _ := unzstd.DecodeAll(frame(content[at:]), nil)
		inner(plain)
	}
	for at := range places(content, gzipMagic) {
		if reader, err := gzip.NewReader(bytes.NewReader(content[at:])); err == nil {
			reader.Multistream(false)
			plain, _ := io.ReadAll(io.LimitReader(reader, 64<<20))
			inner(plain)
		}
	}
	for _, method := range []byte{0x82, 0x90} { // LZ4 and ZSTD
		if !clickhouse {
			break
		}
		for at := range places(content, []byte{method}) {
			inner(block(content[at:]))
		}
	}
}

func places(content, what []byte) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for from := 0; ; {
			at := bytes.Index(content[from:], what)
			if at < 0 || !yield(from+at) {
				return
			}
			from += at + 1
		}
	}
}

// frame is the first frame of zstd alone, as far as its header and blocks say.
func frame(content []byte) []byte {
	var header zstd.Header
	if header.Decode(content) != nil {
		return nil
	}
	at := header.HeaderSize
	for at+3 <= len(content) {
		block := int(content[at]) | int(content[at+1])<<8 | int(content[at+2])<<16
		size := block >> 3
		if block>>1&3 == 1 { // one byte, repeated
			size = 1
		}
		at += 3 + size
		if block&1 == 1 {
			if header.HasCheckSum {
				at += 4
			}
			break
		}
	}
	return content[:min(at, len(content))]
}

// block is what a block of ClickHouse holds: method, compressed size with these nine bytes,
// size before, data. None where it is no block.
func block(content []byte) []byte {
	const header, most = 9, 64 << 20
	if len(content) < header {
		return nil
	}
	packed, plain := binary.LittleEndian.Uint32(content[1:]), binary.LittleEndian.Uint32(content[5:])
	if packed <= header || int64(packed) > int64(len(content)) || plain == 0 || plain > most || plain > 1<<12*packed {
		return nil
	}
	data := content[header:packed]
	if content[0] == 0x90 {
		out, _ := unzstd.DecodeAll(data, nil)
		return out
	}
	out := make([]byte, plain)
	n, err := lz4.UncompressBlock(data, out)
	if err != nil || n != int(plain) {
		return nil
	}
	return out
}
