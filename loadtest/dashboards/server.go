package dashboards

import (
	"context"
	"io/fs"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/migrations"
)

func connect(url, database string) (driver.Conn, error) {
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		return nil, err
	}
	if database != "" {
		options.Auth.Database = database
	}
	options.ReadTimeout = time.Hour
	options.DialTimeout = 30 * time.Second
	return clickhouse.Open(options)
}

// migrated makes the database as the control plane does, without the note of which
// migrations ran.
func migrated(ctx context.Context, url string) (driver.Conn, error) {
	first, err := connect(url, "")
	if err != nil {
		return nil, err
	}
	defer first.Close()
	if err := exec(ctx, first, "CREATE DATABASE weir"); err != nil {
		return nil, err
	}
	admin, err := connect(url, "weir")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(migrations.ClickHouse, "clickhouse/*.up.sql")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := migrations.ClickHouse.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := exec(ctx, admin, strings.Split(string(text), ";\n")...); err != nil {
			return nil, err
		}
	}
	return admin, nil
}

// fromRollups tells whether the plan reads projections alone.
func fromRollups(ctx context.Context, admin driver.Conn, sql string, asked map[string]string) (bool, error) {
	rows, err := admin.Query(clickhouse.Context(ctx, clickhouse.WithQueryID(tenant(0)+"."+uuid.NewString()), clickhouse.WithParameters(asked)), "EXPLAIN "+sql)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	found := false
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return false, err
		}
		if strings.Contains(line, "ReadFromMergeTree (weir.") {
			return false, nil
		}
		found = found || strings.Contains(line, "ReadFromMergeTree (")
	}
	return found, rows.Err()
}
