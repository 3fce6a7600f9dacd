package report_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/report"
)

// sink counts, and does as it is told with each chunk.
type sink struct {
	columns []report.Column
	rows    int
	chunks  int
	most    uint64 // bytes of heap
	then    func(rows [][]any) error
}

func (s *sink) Columns(columns []report.Column) error {
	s.columns = columns
	return nil
}

func (s *sink) Rows(rows [][]any) error {
	s.rows, s.chunks = s.rows+len(rows), s.chunks+1
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.most = max(s.most, m.HeapInuse)
	if s.then == nil {
		return nil
	}
	return s.then(rows)
}

func (h *house) stream(ctx context.Context, sql string, to *sink) (report.Summary, error) {
	return h.Stream(h.as(ctx, 1), report.Query{SQL: sql}, to)
}

func TestStream(t *testing.T) {
	h := newHouse(t)
	t.Run("is_whole", func(t *testing.T) {
		to := &sink{}
		sum, err := h.stream(t.Context(), "SELECT number, repeat('x', 10) FROM numbers(300000)", to)
		if err != nil || sum.Rows != 300_000 || to.rows != 300_000 || len(to.columns) != 2 || to.chunks < 10 || to.chunks > 60 {
			t.Errorf("%+v in %d chunks, %v", sum, to.chunks, err)
		}
	})
	t.Run("has_columns_without_rows", func(t *testing.T) {
		to := &sink{}
		sum, err := h.stream(t.Context(), "SELECT model FROM requests WHERE false", to)
		if err != nil || sum.Rows != 0 || len(to.columns) != 1 {
			t.Errorf("%+v, %v", to, err)
		}
	})
	t.Run("holds_little_of_much", func(t *testing.T) {
		to := &sink{}
		runtime.GC()
		sum, err := h.stream(t.Context(), "SELECT repeat('x', 2000) FROM numbers(100000)", to)
		if err != nil || sum.Bytes < 190<<20 || to.most > 64<<20 {
			t.Errorf("%d MiB held of %d, %v", to.most>>20, sum.Bytes>>20, err)
		}
		t.Logf("%d MiB of heap for %d MiB in %s", to.most>>20, sum.Bytes>>20, sum.Elapsed)
	})
	t.Run("ends_with_words_beyond_its_bounds", func(t *testing.T) {
		for sql, want := range map[string]string{
			"SELECT repeat('x', 25000) FROM numbers(20000)": "10000000 rows or 256 MiB",
			"SELECT repeat('x', 250000) FROM numbers(1024)": "1024 rows of the result are larger than 32 MiB",
			"SELECT 1 FROM numbers(10000001)":               "10000000 rows",
		} {
			if _, err := h.stream(t.Context(), sql, &sink{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", sql, err)
			}
		}
		to := &sink{}
		_, err := h.stream(t.Context(), "SELECT throwIf(number = 500000, 'late') FROM numbers(1000000)", to)
		if !fault.Is(err, fault.Invalid) || to.rows == 0 || to.rows > 500_000 {
			t.Errorf("%d rows, then %v", to.rows, err)
		}
	})
	t.Run("waits_for_its_sink_and_ends_with_it", func(t *testing.T) {
		enough := errors.New("enough")
		to := &sink{then: func([][]any) error {
			time.Sleep(500 * time.Millisecond)
			return enough
		}}
		if _, err := h.stream(t.Context(), endless, to); !errors.Is(err, enough) || to.chunks != 1 {
			t.Errorf("%d chunks, %v", to.chunks, err)
		}
		h.isIdle(t, time.Second)
	})
	t.Run("ends_with_its_caller", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		to := &sink{then: func([][]any) error {
			cancel()
			return nil
		}}
		if _, err := h.stream(ctx, endless, to); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		h.isIdle(t, time.Second)
	})
	t.Run("takes_no_place_of_answers", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began, ended := make(chan bool, 8), make(chan error, 8)
		slow := func(organization int) {
			_, err := h.Stream(h.as(ctx, organization), report.Query{SQL: endless}, &sink{then: func([][]any) error {
				began <- true
				<-ctx.Done()
				return ctx.Err()
			}})
			ended <- err
		}
		for n := range 8 {
			go slow(n / 2)
			select {
			case <-began:
			case err := <-ended:
				t.Fatalf("stream %d: %v", n, err)
			}
			if n != 1 {
				continue
			}
			if _, err := h.Stream(h.as(t.Context(), 0), report.Query{SQL: "SELECT 1"}, &sink{}); !fault.Is(err, fault.Exhausted) {
				t.Errorf("a third stream of an organization: %v", err)
			}
		}
		if _, err := h.Stream(h.as(t.Context(), 4), report.Query{SQL: "SELECT 1"}, &sink{}); !fault.Is(err, fault.Exhausted) {
			t.Errorf("a ninth stream: %v", err)
		}
		for organization := range 5 {
			if _, err := h.Reports.Run(h.as(t.Context(), organization), report.Query{SQL: "SELECT 1"}); err != nil {
				t.Errorf("an answer of organization %d: %v", organization, err)
			}
		}
		cancel()
		for range 8 {
			<-ended
		}
		h.isIdle(t, time.Second)
	})
}

// endless is a result that would take minutes.
const endless = "SELECT repeat('x', 20), sipHash64(number) FROM numbers(9000000)"

// isIdle waits until no query of the tenants runs on the server.
func (h *house) isIdle(t *testing.T, within time.Duration) {
	t.Helper()
	var running uint64
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err := h.admin.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE user = 'report'").Scan(&running); err != nil {
			t.Fatal(err)
		}
		if running == 0 {
			return
		}
	}
	t.Error(fmt.Sprint(running, " queries still run after ", within))
}

func TestCSV(t *testing.T) {
	h := newHouse(t)
	const sql = `SELECT 'a,b' AS plain, '=1+1' AS "=cmd", '-2' AS text, toInt64(-2) AS number, toDecimal64(-1.5, 9) AS money, NULL AS none, '' AS empty,
		'say "x"\nnow' AS quotes, ['=a', 'b'] AS list, map('k', 1) AS entries, toDate('2026-11-20') AS day, true AS flag, -1.25 AS float, '＝x' AS wide, toNullable('@x') AS at`
	for raw, want := range map[bool]string{
		false: "plain,'=cmd,text,number,money,none,empty,quotes,list,entries,day,flag,float,wide,at\r\n" +
			`"a,b",'=1+1,'-2,-2,-1.5,,"","say ""x""` + "\n" + `now","[""=a"",""b""]","{""k"":1}",2026-11-20,true,-1.25,'＝x,'@x` + "\r\n",
		true: "plain,=cmd,text,number,money,none,empty,quotes,list,entries,day,flag,float,wide,at\r\n" +
			`"a,b",=1+1,-2,-2,-1.5,,"","say ""x""` + "\n" + `now","[""=a"",""b""]","{""k"":1}",2026-11-20,true,-1.25,＝x,@x` + "\r\n",
	} {
		c := &report.CSV{Raw: raw}
		if _, err := h.Stream(h.as(t.Context(), 1), report.Query{SQL: sql}, c); err != nil {
			t.Fatal(err)
		}
		if got := string(c.Take()); got != want {
			t.Errorf("raw %v:\n%s\nwant\n%s", raw, got, want)
		}
	}
}
