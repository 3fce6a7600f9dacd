package clickhouse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/golang-migrate/migrate/v4/source"
)

// Cluster is the name of a cluster of one shard whose servers hold the same rows, as
// system.clusters has it, or a macro in braces. Empty: a single server.
type Cluster string

var clusterName = regexp.MustCompile(`^[\w.-]{1,64}$|^\{[\w.-]{1,64}\}$`)

// Validate returns an error for the operator.
func (c Cluster) Validate() error {
	if c != "" && !clusterName.MatchString(string(c)) {
		return fmt.Errorf("cluster %q: want the name of a cluster in system.clusters, letters, digits and _.- , or a macro like {cluster}", string(c))
	}
	return nil
}

// set makes a connection one that writes. A block counts as stored once most replicas have
// it, and questions about it are answered by a replica that has all such blocks: whichever
// server the next connection reaches, ingest sees what it inserted.
func (c Cluster) set(options *clickhouse.Options) {
	if c == "" {
		return
	}
	if options.Settings == nil {
		options.Settings = clickhouse.Settings{}
	}
	maps.Copy(options.Settings, clickhouse.Settings{"insert_quorum": "auto", "insert_quorum_parallel": 0, "select_sequential_consistency": 1})
}

// setToMigrate makes a connection one that migrates: each statement ends when every replica
// has done it, or the next one, on another server, would not find what it made.
func (c Cluster) setToMigrate(options *clickhouse.Options) {
	c.set(options)
	if c != "" {
		options.Settings["alter_sync"] = 2
	}
}

// onCluster follows the name of what a statement makes or changes.
func (c Cluster) onCluster() string {
	if c == "" {
		return ""
	}
	return " ON CLUSTER '" + string(c) + "'"
}

const replica = `'/clickhouse/tables/{uuid}/{shard}', '{replica}'`

// migrationsEngine is that of golang-migrate's own table.
func (c Cluster) migrationsEngine() string {
	if c == "" {
		return "MergeTree"
	}
	return "ReplicatedMergeTree(" + replica + ") ORDER BY sequence"
}

var (
	comment = regexp.MustCompile(`(?m)^\s*--.*$`)
	// head is how each statement of a migration begins, up to the name of what it is about.
	head   = regexp.MustCompile(`(?m)^(?:CREATE TABLE IF NOT EXISTS|CREATE OR REPLACE TABLE|CREATE OR REPLACE VIEW|ALTER TABLE|DROP (?:TABLE|VIEW)(?: IF EXISTS)?) \w+`)
	engine = regexp.MustCompile(`ENGINE = (\w*)MergeTree(?:\((\w+)\))?`)
	window = regexp.MustCompile(`non_replicated_deduplication_window = (\d+)`)
)

// neverSeconds is longer than any retry: as on a single server, the number of blocks alone
// bounds for how long a token is known.
const neverSeconds = "3153600000"

// render turns the text of a migration, which is that of a single server, into the one of
// the cluster. A statement whose beginning it does not know is an error.
func (c Cluster) render(migration string) (string, error) {
	if c == "" {
		return migration, nil
	}
	var out []string
	for _, statement := range strings.Split(migration, ";") {
		if strings.TrimSpace(comment.ReplaceAllString(statement, "")) == "" {
			continue
		}
		if n := len(head.FindAllString(statement, -1)); n != 1 {
			return "", fmt.Errorf("a statement has %d beginnings that a cluster is known for: %.80q", n, strings.TrimSpace(statement))
		}
		statement = head.ReplaceAllString(statement, "${0}"+strings.ReplaceAll(c.onCluster(), "$", "$$"))
		statement = engine.ReplaceAllStringFunc(statement, replicated)
		out = append(out, window.ReplaceAllString(statement,
			"replicated_deduplication_window = $1, replicated_deduplication_window_seconds = "+neverSeconds))
	}
	return strings.TrimRight(strings.Join(out, ";"), "\n") + "\n", nil
}

func replicated(of string) string {
	parts := engine.FindStringSubmatch(of)
	arguments := replica
	if parts[2] != "" {
		arguments += ", " + parts[2]
	}
	return "ENGINE = Replicated" + parts[1] + "MergeTree(" + arguments + ")"
}

// rendered are the migrations as the cluster needs them.
type rendered struct {
	source.Driver
	cluster Cluster
}

func (r rendered) ReadUp(version uint) (io.ReadCloser, string, error) {
	return r.read(r.Driver.ReadUp(version))
}

func (r rendered) ReadDown(version uint) (io.ReadCloser, string, error) {
	return r.read(r.Driver.ReadDown(version))
}

func (r rendered) read(from io.ReadCloser, name string, err error) (io.ReadCloser, string, error) {
	if err != nil {
		return from, name, err
	}
	text, err := io.ReadAll(from)
	if err = errors.Join(err, from.Close()); err != nil {
		return nil, name, err
	}
	sql, err := r.cluster.render(string(text))
	if err != nil {
		return nil, name, fmt.Errorf("migration %s: %w", name, err)
	}
	return io.NopCloser(bytes.NewReader([]byte(sql))), name, nil
}
