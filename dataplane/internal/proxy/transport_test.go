package proxy_test

import (
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
)

var protocols = map[string]bool{"http1": false, "http2": true}

// tlsServer serves over TLS, and HTTP/2 where it is asked to.
func tlsServer(t *testing.T, http2 bool, handler http.HandlerFunc, options ...func(*httptest.Server)) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	for _, option := range options {
		option(server)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, roots
}

func newTransport(t *testing.T, config proxy.TransportConfig) *proxy.Transport {
	t.Helper()
	transport := proxy.NewTransport(config)
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// get returns the body, read to its end.
func get(t *testing.T, transport http.RoundTripper, url string) (string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// A connection that is made anew costs no whole handshake.
func TestTLSSessionsAreResumed(t *testing.T) {
	for name, http2 := range protocols {
		t.Run(name, func(t *testing.T) {
			server, roots := tlsServer(t, http2, func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoAtLeast(2, 0) != http2 {
					t.Errorf("%s", r.Proto)
				}
				if r.TLS.DidResume {
					_, _ = io.WriteString(w, "resumed")
				}
			})
			transport := newTransport(t, proxy.TransportConfig{Roots: roots})
			if text, err := get(t, transport, server.URL); err != nil || text != "" {
				t.Errorf("the first one: %q, %v", text, err)
			}
			transport.CloseIdleConnections()
			if text, err := get(t, transport, server.URL); err != nil || text != "resumed" {
				t.Errorf("the second one: %q, %v", text, err)
			}
		})
	}
}

// together sends requests that the server answers only once all are there, and returns
// over how many connections they came.
func together(t *testing.T, requests int, options ...func(*httptest.Server)) int {
	t.Helper()
	var all sync.WaitGroup
	all.Add(requests)
	var mu sync.Mutex
	from := map[string]bool{}
	server, roots := tlsServer(t, true, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			return
		}
		mu.Lock()
		from[r.RemoteAddr] = true
		mu.Unlock()
		all.Done()
		all.Wait()
	}, options...)
	transport := newTransport(t, proxy.TransportConfig{Roots: roots})
	if _, err := get(t, transport, server.URL+"/first"); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range requests {
		wait.Go(func() {
			if _, err := get(t, transport, server.URL); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	return len(from)
}

func TestStreamsShareConnections(t *testing.T) {
	if n := together(t, 50); n != 1 {
		t.Errorf("50 requests came over %d connections", n)
	}
}

// More requests than an upstream takes on one connection wait for none of the others.
func TestStreamsBeyondTheUpstreamsLimit(t *testing.T) {
	few := func(s *httptest.Server) { s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2} }
	if n := together(t, 6, few); n < 3 {
		t.Errorf("6 requests came over %d connections of 2 streams", n)
	}
}

// muted passes bytes on until it is told to swallow them: a connection that died without
// a word.
func muted(t *testing.T, to string) (address string, mute func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var silent atomic.Bool
	pass := func(to io.Writer, from io.Reader) {
		buffer := make([]byte, 1<<14)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			if !silent.Load() {
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
		}
	}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			t.Cleanup(func() { near.Close(); far.Close() })
			go pass(far, near)
			go pass(near, far)
		}
	}()
	return listener.Addr().String(), func() { silent.Store(true) }
}

func TestDeadConnectionsAreNoticed(t *testing.T) {
	release := make(chan struct{})
	server, roots := tlsServer(t, true, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	defer close(release)
	address, mute := muted(t, server.Listener.Addr().String())
	transport := newTransport(t, proxy.TransportConfig{Roots: roots, PingAfter: 50 * time.Millisecond, PingTimeout: 50 * time.Millisecond})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadFull(response.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	mute()
	if _, err := io.ReadAll(response.Body); err == nil { // and does not wait for ever
		t.Error("the stream ended well")
	}
}

// An upstream whose name leads elsewhere is followed while its connections are never idle.
func TestUpstreamsThatMove(t *testing.T) {
	for name, http2 := range protocols {
		t.Run(name, func(t *testing.T) {
			says := func(text string) http.HandlerFunc {
				return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
			}
			first, roots := tlsServer(t, http2, says("first"))
			_, port, _ := net.SplitHostPort(first.Listener.Addr().String())
			listener, err := net.Listen("tcp", "127.0.0.2:"+port)
			if err != nil {
				t.Fatal(err)
			}
			tlsServer(t, http2, says("second"), func(s *httptest.Server) {
				s.Listener.Close()
				s.Listener = listener
			})
			n := newNames(t)
			lead := func(to string) { a := netip.MustParseAddr(to); n.address.Store(&a) }
			lead("127.0.0.1")
			transport := newTransport(t, proxy.TransportConfig{Roots: roots, Resolver: n.resolver(), MaxAge: 50 * time.Millisecond})
			ask := func() string {
				text, err := get(t, transport, "https://example.com:"+port)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			if said := ask(); said != "first" {
				t.Fatalf("%s", said)
			}
			lead("127.0.0.2")
			for deadline := time.Now().Add(20 * time.Second); ask() != "second"; {
				if time.Now().After(deadline) {
					t.Fatal("it is not followed")
				}
			}
		})
	}
}

// Connections of the age before end with their requests.
func TestOldConnectionsEnd(t *testing.T) {
	for name, http2 := range protocols {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			open := map[net.Conn]bool{}
			server, roots := tlsServer(t, http2, func(http.ResponseWriter, *http.Request) {}, func(s *httptest.Server) {
				s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
					mu.Lock()
					defer mu.Unlock()
					if open[conn] = true; state == http.StateClosed {
						delete(open, conn)
					}
				}
			})
			transport := newTransport(t, proxy.TransportConfig{Roots: roots, MaxAge: time.Millisecond})
			for range 10 {
				if _, err := get(t, transport, server.URL); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Millisecond) // another age
			}
			transport.CloseIdleConnections()
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
				mu.Lock()
				left := len(open)
				mu.Unlock()
				if left == 0 {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("%d connections are left", left)
				}
			}
		})
	}
}

func TestHeadersOfUpstreamsAreBounded(t *testing.T) {
	for name, http2 := range protocols {
		t.Run(name, func(t *testing.T) {
			server, roots := tlsServer(t, http2, func(w http.ResponseWriter, _ *http.Request) {
				for _, n := range strings.Fields("a b c d e f") {
					w.Header().Set("X-"+n, strings.Repeat("x", 60<<10))
				}
			})
			if _, err := get(t, newTransport(t, proxy.TransportConfig{Roots: roots}), server.URL); err == nil {
				t.Error("300 KiB of headers were taken")
			}
		})
	}
}
