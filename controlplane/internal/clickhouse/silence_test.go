package clickhouse_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// An insert that is cancelled ends at once, though the server is silent: over a new
// connection, and over one that was kept.
func TestConn_InsertBlock_ends_when_cancelled(t *testing.T) {
	database := chtest.Open(t)
	var name string
	if err := database.QueryRow(t.Context(), "SELECT currentDatabase()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	if err := database.Exec(t.Context(), "CREATE TABLE numbers (n Int64) ENGINE = MergeTree ORDER BY n"); err != nil {
		t.Fatal(err)
	}
	for of, before := range map[string]int64{"new": 1, "kept": math.MaxInt64} {
		t.Run(of, func(t *testing.T) {
			between := stallable(t)
			between.answers.Store(before) // the first is the handshake's
			conn, err := clickhouse.OpenDatabase(between.url, name)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			insert := func(ctx context.Context) error {
				return conn.InsertBlock(ctx, "numbers", proto.Input{{Name: "n", Data: &proto.ColInt64{1}}}, nil)
			}
			if of == "kept" {
				if err := insert(t.Context()); err != nil {
					t.Fatal(err)
				}
				between.answers.Store(0)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(500*time.Millisecond, cancel)
			began := time.Now()
			if err := insert(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("a cancelled insert: %v", err)
			}
			if took := time.Since(began); took > 10*time.Second || took < 400*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// stalled hands on a number of the server's answers and holds what comes then.
type stalled struct {
	url     string
	server  string
	answers atomic.Int64
}

func stallable(t *testing.T) *stalled {
	t.Helper()
	to, err := url.Parse(chtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s := &stalled{server: to.Host}
	to.Host = listener.Addr().String()
	s.url = to.String()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go s.between(t.Context(), client)
		}
	}()
	return s
}

func (s *stalled) between(ctx context.Context, client net.Conn) {
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.server)
	if err != nil {
		return
	}
	defer server.Close()
	go s.handOn(client, server)
	_, _ = io.Copy(server, client) // until the client ends it
}

func (s *stalled) handOn(client io.Writer, server io.Reader) {
	for answer := make([]byte, 64<<10); ; {
		n, err := server.Read(answer)
		if err != nil || s.answers.Add(-1) < 0 {
			return
		}
		_, _ = client.Write(answer[:n])
	}
}
