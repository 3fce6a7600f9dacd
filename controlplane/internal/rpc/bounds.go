package rpc

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"

	"connectrpc.com/connect"
)

// maxRequestBytes of one message, decompressed.
const maxRequestBytes = 1 << 20

// prefixBytes stand before a message in gRPC's protocols and in Connect's streams.
const prefixBytes = 5

// bounds make large requests end at the codec, which says so in our words. What
// lies beyond is neither read nor inflated: Connect alone would do both to the
// end, however far it is, only to tell the size. gRPC messages that announce
// more than they may have never reach the codec and are ResourceExhausted.
func bounds() connect.HandlerOption {
	return connect.WithHandlerOptions(
		connect.WithReadMaxBytes(maxRequestBytes+1),
		connect.WithCompression("gzip",
			func() connect.Decompressor { return new(inflater) },
			func() connect.Compressor { return gzip.NewWriter(io.Discard) }),
	)
}

// bounded ends every body where a codec can see that the message is a byte too
// large. It is for services whose clients send one message.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		most := int64(maxRequestBytes + 1)
		if content := r.Header.Get("Content-Type"); strings.Contains(content, "grpc") || strings.Contains(content, "connect+") {
			most += prefixBytes
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r.Body, most), r.Body}
		next.ServeHTTP(w, r)
	})
}

// inflater unpacks gzip up to one byte more than a message may have.
type inflater struct {
	gzip.Reader
	left int
}

func (i *inflater) Reset(from io.Reader) error {
	i.left = maxRequestBytes + 1
	if err := i.Reader.Reset(from); err != nil {
		return fmt.Errorf("it is no gzip: %w", err)
	}
	return nil
}

func (i *inflater) Read(p []byte) (int, error) {
	if i.left == 0 {
		return 0, io.EOF
	}
	n, err := i.Reader.Read(p[:min(len(p), i.left)])
	i.left -= n
	return n, err //nolint:wrapcheck // io.EOF has to stay what it is
}
