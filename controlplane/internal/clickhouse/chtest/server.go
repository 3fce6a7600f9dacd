package chtest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
)

// Database is the one whose views the server's user report may read.
const Database = "weir"

// Server is a ClickHouse of one test, with the users file of production.
type Server struct {
	engine.ClickHouse
	config  engine.ClickHouseConfig
	process engine.Running
}

// Start starts a server and migrates Database in it.
func Start(t testing.TB) *Server {
	t.Helper()
	s := newServer(t, t.TempDir())
	s.Restart(t)
	t.Cleanup(s.Kill)
	s.migrate(t)
	return s
}

func newServer(t testing.TB, dir string) *Server {
	t.Helper()
	ports, err := engine.FreePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	return &Server{config: engine.ClickHouseConfig{
		Engines:  fetch.Installation{LibCHDB: variable(t, "WEIR_TEST_LIBCHDB")},
		Binary:   variable(t, "WEIR_LOCAL_BIN"),
		Dir:      filepath.Join(dir, "clickhouse"),
		HTTPPort: ports[0],
		TCPPort:  ports[1],
	}}
}

func (s *Server) migrate(t testing.TB) {
	t.Helper()
	if err := clickhouse.Migrate(t.Context(), s.AdminURL, Database, ""); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server as kill -9 does; its data stays.
func (s *Server) Kill() { s.process.Kill() }

// Restart starts the server over its data, with the same addresses and passwords.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var err error
	if s.process, s.ClickHouse, err = engine.StartClickHouse(ctx, s.config); err != nil {
		t.Fatal(err)
	}
}

// Admin connects to Database as the user with every right.
func (s *Server) Admin(t testing.TB) *clickhouse.Conn {
	t.Helper()
	conn, err := clickhouse.OpenDatabase(s.AdminURL, Database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Report connects as the user who may read the public views.
func (s *Server) Report(t testing.TB) *clickhouse.Conn {
	t.Helper()
	conn, err := clickhouse.Open(s.ReportURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
