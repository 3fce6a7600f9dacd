package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// native sends blocks by the server's own protocol, over connections that are kept.
type native struct {
	options *clickhouse.Options

	mu     sync.Mutex
	idle   []*ch.Client
	closed bool
}

func (n *native) insert(ctx context.Context, table string, columns proto.Input, settings []ch.Setting) error {
	client, err := n.take(ctx)
	if err != nil {
		return err
	}
	err = within(ctx, client, func() error {
		return client.Do(ctx, ch.Query{Body: columns.Into(table), Input: columns, Settings: settings})
	})
	if err != nil {
		_ = client.Close() // what is left in it is not known
		return err
	}
	n.give(client)
	return nil
}

// within asks the server something, and ends the connection when ctx ends: ch-go reads
// until a deadline and does not see that it is cancelled meanwhile.
func within(ctx context.Context, client *ch.Client, ask func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	err := said(ask())
	if !stop() {
		_ = client.Close() // now, and not in a moment when it is used again
		if err != nil {
			err = errors.Join(err, ctx.Err())
		}
	}
	return err
}

// said is an exception of the server as the driver has it, or the error as it is.
func said(err error) error {
	exception, ok := ch.AsException(err)
	if !ok {
		return err
	}
	return &clickhouse.Exception{Code: int32(exception.Code), Name: exception.Name, Message: exception.Message}
}

// take returns a connection that answers: one that was kept, or a new one.
func (n *native) take(ctx context.Context) (*ch.Client, error) {
	for {
		client := n.kept()
		if client == nil {
			return n.dial(ctx)
		}
		if within(ctx, client, func() error { return client.Ping(ctx) }) == nil {
			return client, nil
		}
		_ = client.Close() // the server ended it, or was restarted
	}
}

func (n *native) kept() *ch.Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := len(n.idle) - 1
	if last < 0 {
		return nil
	}
	client := n.idle[last]
	n.idle = n.idle[:last]
	return client
}

func (n *native) give(client *ch.Client) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || len(n.idle) >= n.options.MaxIdleConns {
		_ = client.Close()
		return
	}
	n.idle = append(n.idle, client)
}

// dial tries the servers in their order.
func (n *native) dial(ctx context.Context) (*ch.Client, error) {
	var faults []error
	for _, address := range n.options.Addr {
		client, err := ch.Dial(ctx, ch.Options{
			Address: address, Database: n.options.Auth.Database, User: n.options.Auth.Username, Password: n.options.Auth.Password,
			TLS: n.options.TLS, Compression: ch.CompressionLZ4, ClientName: "weir-ingest",
			Settings:    settingsOf(n.options.Settings),
			DialTimeout: n.options.DialTimeout, HandshakeTimeout: n.options.DialTimeout + 5*time.Second, ReadTimeout: n.options.ReadTimeout,
		})
		if err == nil {
			return client, nil
		}
		faults = append(faults, said(err))
	}
	return nil, errors.Join(faults...)
}

func settingsOf(from map[string]any) (all []ch.Setting) {
	for name, value := range from {
		all = append(all, ch.Setting{Key: name, Value: fmt.Sprint(value), Important: true})
	}
	return all
}

func (n *native) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, client := range n.idle {
		_ = client.Close()
	}
	n.idle = nil
}
