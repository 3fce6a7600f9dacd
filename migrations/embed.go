// Package migrations carries the schemas of both stores, applied by golang-migrate.
// Released files never change.
package migrations

import "embed"

//go:embed postgres/*.sql
var Postgres embed.FS

//go:embed clickhouse/*.sql
var ClickHouse embed.FS
