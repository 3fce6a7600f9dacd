package ingest

import (
	"context"
	"fmt"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
)

// sink is where blocks go.
type sink interface {
	// now is ClickHouse's own clock.
	now(ctx context.Context) (time.Time, error)
	// stored counts the rows of a block that are there.
	stored(ctx context.Context, at span, month int) (int, error)
	// furthest is the highest offset from `from` on of which a row is there, or -1.
	furthest(ctx context.Context, at span) (int64, error)
	insert(ctx context.Context, b block) error
	// try finds out whether ClickHouse would take a block, and stores nothing.
	try(ctx context.Context, b block) error
	// settle notes what became of a span's ranges; ask: unless it is noted.
	settle(ctx context.Context, at span, j judged, ask bool) error
	copyTails(ctx context.Context, tails []Tail) error
}

type clickhouseSink struct {
	conn    *clickhouse.Conn
	timeout time.Duration
}

var _ sink = clickhouseSink{}

func (s clickhouseSink) now(ctx context.Context) (now time.Time, err error) {
	err = s.conn.QueryRow(ctx, `SELECT now64(6, 'UTC')`).Scan(&now)
	return now, inClickHouse(err, "ask clickhouse for its time")
}

const ofSpan = `kafka_topic_id = {topic_id:UUID} AND kafka_partition = {partition:Int32}
	AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}`

func (s clickhouseSink) count(ctx context.Context, query string, at span, month int) (n uint64, err error) {
	ctx = driver.Context(ctx, driver.WithParameters(driver.Parameters{
		"topic_id": at.topicID.String(), "partition": fmt.Sprint(at.partition),
		"first": fmt.Sprint(at.first), "last": fmt.Sprint(at.last), "month": fmt.Sprint(month),
	}))
	err = s.conn.QueryRow(ctx, query).Scan(&n)
	return n, inClickHouse(err, "look for offsets %d..%d of partition %d", at.first, at.last, at.partition)
}

func (s clickhouseSink) stored(ctx context.Context, at span, month int) (int, error) {
	n, err := s.count(ctx, `SELECT count() FROM usage_event WHERE toYYYYMM(started_at) = {month:UInt32} AND `+ofSpan, at, month)
	return int(n), err
}

func (s clickhouseSink) furthest(ctx context.Context, at span) (int64, error) {
	n, err := s.count(ctx, `SELECT toUInt64(max(kafka_offset) + 1) FROM (
		SELECT kafka_offset FROM usage_event WHERE `+ofSpan+` UNION ALL SELECT -1)`, at, 0)
	return int64(n) - 1, err
}

// insert sends a block in one synchronous insert. Without an answer it may have
// happened or not.
func (s clickhouseSink) insert(ctx context.Context, b block) error {
	return s.send(ctx, "usage_event", b)
}

func (s clickhouseSink) try(ctx context.Context, b block) error {
	return s.send(ctx, "usage_trial", b)
}

func (s clickhouseSink) send(ctx context.Context, table string, b block) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	columns := columnSets.Get().(*columnSet)
	defer columnSets.Put(columns)
	err := s.conn.InTurn(ctx, table, func() error {
		return s.conn.InsertBlock(ctx, table, columns.fill(b), once(b.noted.token))
	})
	return inClickHouse(err, "insert %d rows of offsets %d..%d, partition %d", len(b.rows), b.span.first, b.span.last, b.span.partition)
}

// once are settings with which ClickHouse drops a second insert of this token.
func once(token string) driver.Settings {
	return driver.Settings{
		"async_insert":                    0,
		"insert_deduplicate":              1,
		"insert_deduplication_token":      token,
		"max_partitions_per_insert_block": 1,
		"max_insert_block_size":           2 * maxBlockRows,
	}
}

func (s clickhouseSink) settle(ctx context.Context, at span, j judged, ask bool) error {
	ranges := j.ranges()
	if len(ranges) == 0 {
		return nil
	}
	if ask {
		there, err := s.count(ctx, `SELECT count() FROM usage_range WHERE `+ofSpan, at, 0)
		if err != nil || there > 0 {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.conn.InTurn(ctx, "usage_range", func() error { return s.insertRanges(ctx, at, ranges) })
	return inClickHouse(err, "settle offsets %d..%d of partition %d", at.first, at.last, at.partition)
}

func (s clickhouseSink) insertRanges(ctx context.Context, at span, ranges []outcome) error {
	prepared, err := s.conn.PrepareBatch(driver.Context(ctx, driver.WithSettings(once(at.token(0, nil)))), `INSERT INTO usage_range
		(organization_id, gateway_id, agent_id, boot, first_seq, last_seq, dead_lettered, agent_revoked, payload_sha256, kafka_topic_id, kafka_partition, kafka_offset)`)
	if err != nil {
		return inClickHouse(err, "prepare ranges")
	}
	for _, r := range ranges {
		err := prepared.Append(r.boot.organization, r.boot.gateway, r.boot.agent, r.boot.boot, r.first, r.last,
			r.dead, r.revoked, string(r.sha256[:]), at.topicID, int32(at.partition), r.offset)
		if err != nil {
			return inClickHouse(err, "range %d..%d", r.first, r.last)
		}
	}
	return inClickHouse(prepared.Send(), "insert %d ranges", len(ranges))
}

func (s clickhouseSink) copyTails(ctx context.Context, tails []Tail) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.conn.InTurn(ctx, "agent_tail", func() error { return s.insertTails(ctx, tails) })
	return inClickHouse(err, "copy tails")
}

func (s clickhouseSink) insertTails(ctx context.Context, tails []Tail) error {
	prepared, err := s.conn.PrepareBatch(driver.Context(ctx, driver.WithSettings(driver.Settings{"async_insert": 0})),
		`INSERT INTO agent_tail (organization_id, gateway_id, agent_id, boot, last_seq, closed)`)
	if err != nil {
		return inClickHouse(err, "prepare tails")
	}
	for _, t := range tails {
		if err := prepared.Append(t.Organization, t.Gateway, t.Agent, t.Boot, t.LastSeq, t.Closed); err != nil {
			return inClickHouse(err, "tail of agent %s", t.Agent)
		}
	}
	return inClickHouse(prepared.Send(), "insert %d tails", len(tails))
}
