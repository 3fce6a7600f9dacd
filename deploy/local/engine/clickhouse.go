package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
)

// ClickHouseConfig describes one ClickHouse server.
type ClickHouseConfig struct {
	Engines  fetch.Installation
	Binary   string // a binary that passes its arguments to Child; "" is the running one
	Dir      string // made when missing; survives restarts
	HTTPPort int    // on 127.0.0.1
	TCPPort  int    // native protocol, on 127.0.0.1
	Access   Access
}

// ClickHouse is a server that can be started. Users are fixed when it starts: it has no writable user storage.
type ClickHouse struct {
	Program process.Program
	// AdminURL is for the user with every right, native protocol; AdminHTTPURL the same over HTTP.
	AdminURL, AdminHTTPURL string
	// ReportURL is for the user that may read the public views of Access.Database and nothing else.
	ReportURL, ReportHTTPURL string
}

// PrepareClickHouse writes the configuration and says how to start the server.
func PrepareClickHouse(c ClickHouseConfig) (ClickHouse, error) {
	binary, err := orSelf(c.Binary)
	if err != nil {
		return ClickHouse{}, err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return ClickHouse{}, fmt.Errorf("clickhouse folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ClickHouse{}, fmt.Errorf("clickhouse folder: %w", err)
	}
	admin, err := file.Secret(filepath.Join(dir, "admin.password"))
	if err != nil {
		return ClickHouse{}, err
	}
	report, err := file.Secret(filepath.Join(dir, "report.password"))
	if err != nil {
		return ClickHouse{}, err
	}
	access := c.Access.withDefaults()
	if err := writeClickHouseConfig(dir, access, admin, report); err != nil {
		return ClickHouse{}, err
	}
	ch := ClickHouse{Program: clickhouseProgram(c, binary, dir)}
	ch.AdminURL, ch.AdminHTTPURL = clickhouseURLs(c, "admin", admin, "default")
	ch.ReportURL, ch.ReportHTTPURL = clickhouseURLs(c, "report", report, access.Database)
	return ch, nil
}

// StartClickHouse prepares a server, starts it and waits until it answers.
func StartClickHouse(ctx context.Context, c ClickHouseConfig) (Running, ClickHouse, error) {
	ch, err := PrepareClickHouse(c)
	if err != nil {
		return Running{}, ClickHouse{}, err
	}
	running, err := start(ctx, ch.Program, c.Dir)
	return running, ch, err
}

func clickhouseProgram(c ClickHouseConfig, binary, dir string) process.Program {
	ping := fmt.Sprintf("http://127.0.0.1:%d/ping", c.HTTPPort)
	return process.Program{
		Name: "clickhouse", Path: binary, Dir: dir, Grace: 10 * time.Second,
		Args: []string{
			clickhouseCommand, "--library", c.Engines.LibCHDB, "--dir", dir,
			"--http-port", strconv.Itoa(c.HTTPPort), "--tcp-port", strconv.Itoa(c.TCPPort),
		},
		Probe: func(ctx context.Context) error {
			return errors.Join(process.Answers(ping)(ctx), pingTCP(ctx, c.TCPPort)) // one listener may be there before the other
		},
	}
}

func clickhouseURLs(c ClickHouseConfig, user, password, database string) (native, http string) {
	at := func(scheme string, port int) string {
		u := url.URL{Scheme: scheme, User: url.UserPassword(user, password), Host: "127.0.0.1:" + strconv.Itoa(port), Path: "/" + database}
		return u.String()
	}
	return at("clickhouse", c.TCPPort), at("http", c.HTTPPort)
}

func pingTCP(ctx context.Context, port int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// PingClickHouse connects once, by the protocol that the URL names.
func PingClickHouse(ctx context.Context, dsn string) error {
	options, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		return fmt.Errorf("clickhouse URL: %w", err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Ping(ctx)
}
