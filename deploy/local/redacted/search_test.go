package redacted_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// A canary is found however it is spelled, wherever it stands, and in what is compressed.
func TestSearch(t *testing.T) {
	var c canaries
	text := c.add("name", `Ada "Lövelace" <1234@example.org>`)
	quoted, err := json.Marshal("before " + text)
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	frame := encoder.EncodeAll([]byte("before "+text+" after"), nil)
	for name, content := range map[string][]byte{
		"plain": []byte("before " + text + " after"), "json": quoted, "query": []byte("q=" + url.QueryEscape(text)), "hex": []byte(hex.EncodeToString([]byte("x" + text))),
		"base64_0": []byte(base64.StdEncoding.EncodeToString([]byte(text + " after"))), "base64_1": []byte(base64.StdEncoding.EncodeToString([]byte("x" + text))),
		"base64_2": []byte(base64.URLEncoding.EncodeToString([]byte("xy" + text + " and more"))),
		"zstd":     slices.Concat([]byte("before"), frame, []byte("after")), "gzip": slices.Concat([]byte("before"), packed([]byte("before "+text)), []byte("after")),
		"zstd_in_gzip": packed(frame), "clickhouse": slices.Concat(make([]byte, 16), blockOf(t, strings.Repeat("row ", 100)+text)),
	} {
		found := c.in(content)
		unpacked(content, true, func(plain []byte) { found = append(found, c.in(plain)...) })
		if len(found) == 0 {
			t.Errorf("%s: it is not found", name)
		}
	}
	if found := c.in([]byte(strings.Replace(text, "1234", "1235", 1))); len(found) > 0 {
		t.Errorf("another one is found: %v", found)
	}
}

func packed(content []byte) []byte {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = writer.Write(content)
	_ = writer.Close()
	return out.Bytes()
}

// blockOf is a block as ClickHouse writes it, by LZ4.
func blockOf(t *testing.T, text string) []byte {
	t.Helper()
	data := make([]byte, lz4.CompressBlockBound(len(text)))
	n, err := lz4.CompressBlock([]byte(text), data, nil)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	header := []byte{0x82, 0, 0, 0, 0, 0, 0, 0, 0}
	binary.LittleEndian.PutUint32(header[1:], uint32(9+n))
	binary.LittleEndian.PutUint32(header[5:], uint32(len(text)))
	return append(header, data[:n]...)
}
