// Package clickhouse opens the analytics store and brings its schema to this
// build's version. It knows neither what is written there nor who asks.
package clickhouse

import (
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Open connects as the user in url (clickhouse://user:password@host:port/database,
// http:// works too). It does not wait for the server: the first query does.
func Open(url string) (*Conn, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	return newConn(options)
}

// OpenDatabase is Open with another database than the one in url.
func OpenDatabase(url, database string) (*Conn, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	options.Auth.Database = database
	return newConn(options)
}

// OpenWriter is OpenDatabase for one that inserts, and asks what it inserted.
func OpenWriter(url, database string, cluster Cluster) (*Conn, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	options.Auth.Database = database
	cluster.set(options)
	conn, err := newConn(options)
	if err == nil && cluster != "" {
		conn.turns = newTurns()
	}
	return conn, err
}

func parse(url string) (*clickhouse.Options, error) {
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		return nil, errors.New("clickhouse URL: want clickhouse://user:password@host:port/database") // the parser's own text may show the password
	}
	options.DialTimeout = 5 * time.Second
	options.ReadTimeout = 60 * time.Second
	options.MaxOpenConns = 32
	options.MaxIdleConns = 8
	options.ConnMaxLifetime = 10 * time.Minute
	options.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	return options, nil
}
