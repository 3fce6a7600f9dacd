package proxy_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/proxy"
)

// names is a name server on the loopback that answers every name with one address.
type names struct {
	address atomic.Pointer[netip.Addr]
	at      string
}

func newNames(t *testing.T) *names {
	t.Helper()
	listener, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	n := &names{at: listener.LocalAddr().String()}
	go func() {
		buffer := make([]byte, 1500)
		for {
			size, from, err := listener.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = listener.WriteTo(n.answer(buffer[:size]), from)
		}
	}()
	return n
}

// answer to a query with one question (RFC 1035 section 4), without what comes after
// that.
func (n *names) answer(query []byte) []byte {
	const header = 12
	end := header + bytes.IndexByte(query[header:], 0) + 5
	message := append([]byte(nil), query[:end]...)
	message[2], message[3] = 0x81, 0x80             // a response, without an error
	copy(message[6:header], make([]byte, header-6)) // and without answers
	address := n.address.Load().AsSlice()
	if wanted := map[byte]int{1: 4, 28: 16}[query[end-3]]; wanted != len(address) {
		return message
	}
	message[7] = 1
	message = append(message, 0xc0, header)                      // the name is that of the question,
	message = append(message, query[end-4:end]...)               // so are type and class
	message = append(message, 0, 0, 0, 0, 0, byte(len(address))) // for 0 s
	return append(message, address...)
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", n.at)
	}}
}

// A listed name that leads to the cloud's own services, now or the next time, gets
// nothing.
func TestNamesThatLeadToNoProvider(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer upstream.Close()
	_, port, _ := net.SplitHostPort(upstream.Listener.Addr().String())
	n := newNames(t)
	transport := proxy.NewTransport(proxy.TransportConfig{Resolver: n.resolver()})
	defer transport.CloseIdleConnections()
	ask := func(address string) error {
		a := netip.MustParseAddr(address)
		n.address.Store(&a)
		transport.CloseIdleConnections()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com:"+port, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	for _, address := range []string{
		"169.254.169.254", "169.254.170.2", "fe80::1", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
	} {
		if err := ask("127.0.0.1"); err != nil { // as it was when somebody looked
			t.Fatal(err)
		}
		if err := ask(address); err == nil || !strings.Contains(err.Error(), "where no provider is") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
