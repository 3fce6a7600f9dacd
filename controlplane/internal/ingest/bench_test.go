package ingest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// formerly are the columns before requests told of their kind, caller and choice.
func formerly() []column {
	return slices.DeleteFunc(slices.Clone(usageColumns), func(c column) bool {
		switch c.name {
		case "kind", "parent_request_id", "end_user", "run_id", "labels", "candidate.provider", "candidate.model", "candidate.verdict", "attempt.cause":
			return true
		}
		return false
	})
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

// variant is one way of filling usage_event, and what it has cost so far.
type variant struct {
	name             string
	records          []*usagev1.UsageRecord
	columns          []column
	conn             driver.Conn
	wall, own, store time.Duration
}

// BenchmarkBlock turns records into one block and inserts it: with the columns of before,
// with those of now from agents of before, and with all that a request can tell. They
// take turns, each in a database of its own. It prints for each the microseconds per row
// of the wall's clock, of this process's and of ClickHouse's processors (its merges
// included), and the bytes on disk. WEIR_BENCH_ROWS are the rows of a block: 20000.
func BenchmarkBlock(b *testing.B) {
	rows, err := strconv.ParseInt(os.Getenv("WEIR_BENCH_ROWS"), 10, 64)
	if err != nil {
		rows = 20_000
	}
	plain, told := usage(1, rows), usage(1, rows, talkative)
	variants := []*variant{
		{name: "former_columns", records: plain, columns: formerly()},
		{name: "former_agents", records: plain, columns: usageColumns},
		{name: "told", records: told, columns: usageColumns},
	}
	for _, v := range variants {
		v.conn = chtest.Open(b)
	}
	b.ResetTimer()
	for i := range b.N {
		for _, v := range variants {
			v.insert(b, i)
		}
	}
	b.StopTimer()
	perRow := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(rows) / float64(b.N) }
	for _, v := range variants {
		b.Logf("%-15s %5.2f µs/row: %5.2f of ingest's processor, %5.2f of ClickHouse's; %5.1f bytes on disk",
			v.name, perRow(v.wall), perRow(v.own), perRow(v.store), bytesOfRow(b, v.conn))
	}
}

func (v *variant) insert(b *testing.B, number int) {
	b.Helper()
	began, own, store := time.Now(), processorTime(b), storeTime(b, v.conn)
	s := clickhouseSink{conn: v.conn, timeout: time.Minute}
	if err := s.sendColumns(b.Context(), "usage_event", v.columns, benchBlock(b, v.records, number)); err != nil {
		b.Fatal(err)
	}
	v.wall, v.own = v.wall+time.Since(began), v.own+processorTime(b)-own
	v.store += storeTime(b, v.conn) - store
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

func benchBlock(b *testing.B, records []*usagev1.UsageRecord, number int) block {
	b.Helper()
	from := &incoming{boot: boot{bootID: bootID{uuid.New(), testBoot}, organization: uuid.New(), gateway: uuid.New()}}
	from.source.offset = int64(number)
	out := block{span: span{topicID: uuid.New(), first: int64(number), last: int64(number)}}
	out.noted = noted{token: uuid.NewString(), leaseUntil: time.Now().Add(time.Hour)}
	for _, u := range records {
		r, err := fromProtoRecord(u)
		if err != nil {
			b.Fatal(err)
		}
		out.rows = append(out.rows, placed{row: r, from: from})
	}
	return out
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
