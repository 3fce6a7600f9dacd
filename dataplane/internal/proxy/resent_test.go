package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Frames of HTTP/2 (RFC 9113 section 6) and what of them the test uses.
const (
	frameData, frameHeaders, frameReset, frameSettings = 0, 1, 3, 4
	endStream, ack                                     = 1, 1
	preface                                            = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	head := []byte{0, 0, byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(head, stream), payload...)
}

// resets serves HTTP/2 on a connection: the first request is read whole, told to whole, and then reset with code.
// Then the connection ends.
func resets(c net.Conn, code uint32, whole func()) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len(preface))); err != nil {
		return
	}
	_, _ = c.Write(frame(frameSettings, 0, 0))
	for {
		var head [9]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		size := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, c, size); err != nil {
			return
		}
		switch kind, flags := head[3], head[4]; {
		case kind == frameSettings && flags&ack == 0:
			_, _ = c.Write(frame(frameSettings, ack, 0))
		case (kind == frameData || kind == frameHeaders) && flags&endStream != 0:
			whole()
			_, _ = c.Write(frame(frameReset, 0, binary.BigEndian.Uint32(head[5:]), binary.BigEndian.AppendUint32(nil, code)...))
			return
		}
	}
}

// resetting is a harness before an upstream that reads requests whole and resets them; each
// connection ends with its first one. Without again there is no other connection.
func resetting(t *testing.T, code uint32, again bool) (h *harness, read *atomic.Int32) {
	own := httptest.NewUnstartedServer(nil) // for its certificate
	own.StartTLS()
	t.Cleanup(own.Close)
	config := own.TLS.Clone()
	config.NextProtos = []string{"h2"}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	read = new(atomic.Int32)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			resets(c, code, func() {
				read.Add(1)
				if !again {
					listener.Close()
				}
			})
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(own.Certificate())
	h = newHarness(t, func(c *proxy.Config) { c.Transport = newTransport(t, proxy.TransportConfig{Roots: roots}) })
	h.holder.Store(h.policy("https://" + listener.Addr().String()))
	return h, read
}

// TestAResetIsNoProofThatNothingWasUsed: the transport sends again over HTTP/2 what the upstream
// read whole and reset. Where it then finds no connection, the first one stays sent; where it
// always finds one, it does not go on for ever.
func TestAResetIsNoProofThatNothingWasUsed(t *testing.T) {
	for name, body := range map[string]string{"small": question + `,"max_tokens":50}`, "large": question + `,"max_tokens":50` + strings.Repeat(" ", 8<<10) + `}`} {
		for reset, code := range map[string]uint32{"protocol_error": 1, "refused": 7} {
			for end, most := range map[string]int32{"unreachable": 1, "again": 4} {
				t.Run(name+"/"+reset+"/"+end, func(t *testing.T) {
					h, read := resetting(t, code, most > 1)
					usage, cost := worst(body, 50)
					response, text := h.post(goodKey, body)
					if response.StatusCode != 502 || read.Load() < 1 || read.Load() > most { // fewer where the end of the connection is seen first
						t.Errorf("%d %s, read %d times", response.StatusCode, text, read.Load())
					}
					wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, 502, "upstream_unreachable", estimated, usage, cost})
				})
			}
		}
	}
}
