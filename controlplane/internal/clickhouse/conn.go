package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Conn is a pool of connections that also takes blocks of typed columns.
type Conn struct {
	driver.Conn
	blocks blocks
	turns  *turns // nil: inserts may come at once
}

// blocks is how blocks go to the server: by its own protocol or by HTTP.
type blocks interface {
	insert(ctx context.Context, table string, columns proto.Input, settings []ch.Setting) error
	close()
}

// InsertBlock inserts columns of equal length as one block: all of its rows or none.
// Settings are those of this one statement. What the server says of it comes as a
// *clickhouse.Exception; after any other error it may have happened or not. The driver's
// own batches go by reflection: this takes a third of their time.
func (c *Conn) InsertBlock(ctx context.Context, table string, columns proto.Input, settings map[string]any) error {
	return c.blocks.insert(ctx, table, columns, settingsOf(settings))
}

// Close ends all connections.
func (c *Conn) Close() error {
	c.blocks.close()
	return c.Conn.Close()
}

func newConn(options *clickhouse.Options) (*Conn, error) {
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open clickhouse: %w", err)
	}
	if options.Protocol == clickhouse.HTTP {
		return &Conn{Conn: conn, blocks: newHTTP(options)}, nil
	}
	return &Conn{Conn: conn, blocks: &native{options: options}}, nil
}
