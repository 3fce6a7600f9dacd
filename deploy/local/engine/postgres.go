package engine

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/process"
)

// PostgresConfig describes one PostgreSQL server.
type PostgresConfig struct {
	Engines fetch.Installation
	Dir     string // everything of this server lives below it; made when missing
	Port    int    // on 127.0.0.1
	Durable bool   // fsync; tests do without
}

// Postgres is a server that is initialised and can be started.
type Postgres struct {
	Program process.Program
	URL     string // of the superuser "postgres" and the database "postgres"
}

// PreparePostgres initialises the data folder on first use and says how to start the server. A data folder
// that is there but is not one of this PostgreSQL version is an error: it is never replaced.
func PreparePostgres(ctx context.Context, c PostgresConfig) (Postgres, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return Postgres{}, fmt.Errorf("postgres folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Postgres{}, fmt.Errorf("postgres folder: %w", err)
	}
	owner, err := postgresUser(dir)
	if err != nil {
		return Postgres{}, err
	}
	if owner != nil {
		if c.Engines.Postgres, err = publicPostgres(c.Engines.Postgres); err != nil {
			return Postgres{}, err
		}
	}
	password, err := initPostgres(ctx, c.Engines, dir, owner)
	if err != nil {
		return Postgres{}, err
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", password),
		Host: "127.0.0.1:" + strconv.Itoa(c.Port), Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return Postgres{Program: postgresProgram(c, filepath.Join(dir, "data"), owner, u.String()), URL: u.String()}, nil
}

// StartPostgres prepares a server, starts it and waits until it answers.
func StartPostgres(ctx context.Context, c PostgresConfig) (Running, Postgres, error) {
	pg, err := PreparePostgres(ctx, c)
	if err != nil {
		return Running{}, Postgres{}, err
	}
	running, err := start(ctx, pg.Program, c.Dir)
	return running, pg, err
}

func postgresProgram(c PostgresConfig, data string, owner *process.User, dsn string) process.Program {
	args := []string{
		"-D", data, "-p", strconv.Itoa(c.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_connections=300", "-c", "shared_buffers=128MB", "-c", "password_encryption=scram-sha-256",
	}
	if !c.Durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	return process.Program{
		Name: "postgres", Path: filepath.Join(c.Engines.Postgres, "bin", "postgres"), Args: args,
		Env: postgresEnv(c.Engines), User: owner,
		StopSignal: syscall.SIGINT, Grace: 20 * time.Second, // "fast": end sessions, write a checkpoint
		DeathSignal: syscall.SIGQUIT, // "immediate": recover at the next start; SIGKILL would leave its children
		Before:      func(ctx context.Context) error { return clearPostgres(ctx, data) },
		Probe:       func(ctx context.Context) error { return PingPostgres(ctx, dsn) },
	}
}

func postgresEnv(e fetch.Installation) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "LD_LIBRARY_PATH=" + filepath.Join(e.Postgres, "lib"),
		"LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/",
	}
}

// PingPostgres connects once.
func PingPostgres(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.Ping(ctx)
}
