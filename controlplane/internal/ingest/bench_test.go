package ingest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// pathRows are the rows of one block, pathBatch those of one batch of an agent.
const pathRows, pathBatch = 20_000, 500

// BenchmarkPath takes Kafka records the whole way of ingest's own work: verify, decode,
// convert, cut into blocks, insert. In turns with it the same rows, made beforehand, go
// through the driver's insert row by row. It prints microseconds of this process's
// processor per row, and of ClickHouse's, for records that tell little and for those that
// tell all.
func BenchmarkPath(b *testing.B) {
	for name, change := range map[string][]func(*usagev1.UsageRecord){"plain": nil, "told": {talkative}} {
		b.Run(name, func(b *testing.B) {
			p := newPath(b, change)
			b.ResetTimer()
			for range b.N {
				p.turn(b)
			}
			per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / pathRows / float64(b.N) }
			b.ReportMetric(per(p.open), "open_µs/row")
			b.ReportMetric(per(p.insert), "insert_µs/row")
			b.ReportMetric(per(p.raw), "raw_µs/row")
			b.ReportMetric(float64(p.open+p.insert)/float64(p.raw), "of_raw")
			b.ReportMetric(per(p.store), "clickhouse_µs/row")
			b.ReportMetric(bytesOfRow(b, p.conn), "bytes/row")
		})
	}
}

type path struct {
	records []record
	from    boot
	conn    *clickhouse.Conn
	rows    [][]any

	open, insert, raw, store time.Duration
}

func newPath(b *testing.B, change []func(*usagev1.UsageRecord)) *path {
	b.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	p := &path{from: boot{bootID: bootID{agent: uuid.New()}, organization: uuid.New(), gateway: uuid.New(), publicKey: public}, conn: chtest.Open(b)}
	for i := range int64(pathRows / pathBatch) {
		value, err := batch.Close(p.from.agent.String(), testBoot, usage(i*pathBatch+1, (i+1)*pathBatch, change...), time.Now(), private)
		if err != nil {
			b.Fatal(err)
		}
		p.records = append(p.records, record{offset: i, value: value})
	}
	for _, r := range p.blocks(b)[0].rows {
		p.rows = append(p.rows, driverRow(r))
	}
	return p
}

func (p *path) blocks(b *testing.B) []block {
	b.Helper()
	opened, err := openAll(p.records, time.Now(), func(uuid.UUID) (boot, error) { return p.from, nil })
	if err != nil || len(opened.batches) != len(p.records) {
		b.Fatal(err, len(opened.dead))
	}
	out := blocksOf(span{topicID: uuid.New(), last: int64(len(p.records))}, opened.batches, nil)
	for i := range out {
		out[i].noted.leaseUntil = time.Now().Add(time.Hour)
	}
	return out
}

func (p *path) turn(b *testing.B) {
	b.Helper()
	store, began := storeTime(b, p.conn), processorTime(b)
	blocks := p.blocks(b)
	opened := processorTime(b)
	s := clickhouseSink{conn: p.conn, timeout: time.Minute}
	for _, one := range blocks {
		if err := s.insert(b.Context(), one); err != nil {
			b.Fatal(err)
		}
	}
	inserted := processorTime(b)
	p.store += storeTime(b, p.conn) - store
	rawBegan := processorTime(b)
	prepared, err := p.conn.PrepareBatch(context.Background(), "INSERT INTO usage_event ("+driverColumns+")")
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range p.rows {
		if err := prepared.Append(row...); err != nil {
			b.Fatal(err)
		}
	}
	if err := prepared.Send(); err != nil {
		b.Fatal(err)
	}
	p.open, p.insert, p.raw = p.open+opened-began, p.insert+inserted-opened, p.raw+processorTime(b)-rawBegan
}

// talkative is a record whose caller says who it is, of ten thousand end users, and whose
// route has three targets.
func talkative(r *usagev1.UsageRecord) {
	r.EndUser, r.RunId = fmt.Sprintf("user-%05d", r.Seq%10_000), uuid.NewString()
	r.Labels = []*usagev1.Label{{Name: "team", Value: fmt.Sprintf("team-%d", r.Seq%40)}, {Name: "env", Value: "prod"}, {Name: "feature", Value: "search"}}
	r.Candidates = []*usagev1.Candidate{
		{Provider: "openai", Model: "gpt-5", Verdict: usagev1.Verdict_VERDICT_CHOSEN},
		{Provider: "azure", Model: "gpt-5", Verdict: usagev1.Verdict_VERDICT_STANDBY},
		{Provider: "bedrock", Model: "claude", Verdict: usagev1.Verdict_VERDICT_BREAKER_OPEN},
	}
	for _, a := range r.Attempts {
		a.Cause = usagev1.Cause_CAUSE_FIRST
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func storeTime(b *testing.B, conn driver.Conn) time.Duration {
	b.Helper()
	var us uint64
	err := conn.QueryRow(context.Background(), `SELECT sum(value) FROM system.events WHERE event IN ('UserTimeMicroseconds', 'SystemTimeMicroseconds')`).Scan(&us)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(us) * time.Microsecond
}

func bytesOfRow(b *testing.B, conn driver.Conn) (bytes float64) {
	b.Helper()
	if err := conn.Exec(context.Background(), "OPTIMIZE TABLE usage_event FINAL"); err != nil {
		b.Fatal(err)
	}
	err := conn.QueryRow(context.Background(), `SELECT sum(data_compressed_bytes) / sum(rows) FROM system.parts
		WHERE database = currentDatabase() AND table = 'usage_event' AND active`).Scan(&bytes)
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}
