package chtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
)

// migrated is what the migrations make, as far as this process has asked for it.
var migrated schema

// schema is what is in a migrated database: the statements that make it at once. The
// migrations come to the same by way of everything that there ever was, which takes as
// long as most tests.
type schema struct {
	mu         sync.Mutex
	statements []string // with the name of the first database
	first      string
}

// make makes a migrated database: the first by the migrations, the others like it.
func (s *schema) make(ctx context.Context, server, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == "" {
		if err := clickhouse.Migrate(ctx, server, name, ""); err != nil {
			return err
		}
		return s.note(ctx, server, name)
	}
	conn, err := clickhouse.Open(server)
	if err != nil {
		return err
	}
	for _, statement := range s.statements {
		if err := conn.Exec(ctx, strings.ReplaceAll(statement, s.first, name)); err != nil {
			return errors.Join(fmt.Errorf("make a database like the first: %w", err), conn.Close())
		}
	}
	return conn.Close()
}

// note keeps how to make what is in the first database: views come after what they read.
func (s *schema) note(ctx context.Context, server, name string) error {
	conn, err := clickhouse.Open(server)
	if err != nil {
		return err
	}
	var made []string
	var version, dirty, sequence string
	err = errors.Join(
		conn.QueryRow(ctx, `SELECT groupArray(create_table_query) FROM (
			SELECT create_table_query FROM system.tables WHERE database = ? ORDER BY engine = 'View', name)`, name).Scan(&made),
		conn.QueryRow(ctx, "SELECT toString(version), toString(dirty), toString(sequence) FROM "+name+".schema_migrations ORDER BY sequence DESC LIMIT 1").
			Scan(&version, &dirty, &sequence),
		conn.Close(),
	)
	if err != nil {
		return fmt.Errorf("read what the migrations made: %w", err)
	}
	s.first = name
	s.statements = append([]string{"CREATE DATABASE " + name}, made...)
	s.statements = append(s.statements, fmt.Sprintf("INSERT INTO %s.schema_migrations (version, dirty, sequence) VALUES (%s, %s, %s)", name, version, dirty, sequence))
	return nil
}
