package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

type report struct {
	config  Config
	out     io.Writer
	results []measured
}

func (r *report) printf(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format+"\n", args...) }

// progress goes to standard error: it is no result.
func (r *report) progress(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "\r%-40s", fmt.Sprintf(format, args...))
}

func (r *report) machine(root string) {
	commit := osexec.Command("git", "-C", root, "rev-parse", "--short", "HEAD")
	text, err := commit.Output()
	if err != nil {
		text = []byte("unknown")
	}
	r.printf("# Dashboards over %d requests\n", r.config.Rows)
	r.printf("%s, commit %s, %d cores (%s/%s), %s\n", time.Now().UTC().Format("2006-01-02"), strings.TrimSpace(string(text)), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, load())
}

// load is what else the machine does: numbers of a busy one are of it, too.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(raw))
	if err != nil || len(fields) < 3 {
		return "load unknown"
	}
	return "load " + strings.Join(fields[:3], " ")
}

type filled struct {
	took          time.Duration
	without, with time.Duration // of processor, a row
}

func (r *report) filled(ctx context.Context, admin driver.Conn, f filled) error {
	var rows, parts, bytes uint64
	err := admin.QueryRow(ctx, `SELECT sum(rows), count(), sum(bytes_on_disk) FROM system.parts
		WHERE database = currentDatabase() AND table = 'usage_event' AND active`).Scan(&rows, &parts, &bytes)
	if err != nil {
		return err
	}
	r.printf("\n%d rows of %d organizations in %d parts, %.1f bytes a row on disk; filled and merged in %s; %s",
		rows, r.config.Tenants, parts, float64(bytes)/float64(rows), f.took.Round(time.Second), load())
	r.printf("ClickHouse's processor time to insert a row: %.2f µs without rollups, %.2f µs with them\n",
		float64(f.without.Nanoseconds())/1000, float64(f.with.Nanoseconds())/1000)
	r.printf("| rollup | rows | bytes a row of usage |\n| --- | ---: | ---: |")
	projections, err := admin.Query(ctx, `SELECT name, sum(rows), sum(bytes_on_disk) FROM system.projection_parts
		WHERE database = currentDatabase() AND table = 'usage_event' AND active GROUP BY name ORDER BY name`)
	if err != nil {
		return err
	}
	defer projections.Close()
	for projections.Next() {
		var name string
		var n, size uint64
		if err := projections.Scan(&name, &n, &size); err != nil {
			return err
		}
		r.printf("| `%s` | %d | %.2f |", name, n, float64(size)/float64(rows))
	}
	return projections.Err()
}

func (r *report) head() {
	r.printf("\nEach query %d times, alone, as the user `report` of the large organization.\n", r.config.Runs)
	r.printf("| query | range | p50 ms | p95 ms | processor ms | rows read | MB read | peak MB | from |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
}

func (r *report) add(m measured) {
	r.results = append(r.results, m)
	if m.Failed != "" {
		r.printf("| %s | %s | failed: %.100s | | | | | | |", m.Query, m.Range, m.Failed)
		return
	}
	from := "rows"
	if m.Rollups {
		from = "rollups"
	}
	r.printf("| %s | %s | %.0f | %.0f | %.0f | %d | %.1f | %.1f | %s |", m.Query, m.Range, m.P50MS, m.P95MS, m.CPUMS, m.Rows,
		float64(m.Bytes)/1e6, float64(m.MemoryBytes)/1e6, from)
}

// end names what misses the target.
func (r *report) end() error {
	var late []string
	for _, m := range r.results {
		if m.Range == "30 d" && (m.Failed != "" || m.P95MS > milliseconds(r.config.Target)) {
			late = append(late, m.Query)
		}
	}
	r.printf("\np95 over 30 days within %s: %s; %s", r.config.Target, map[bool]string{true: "all", false: "not " + strings.Join(late, ", ")}[len(late) == 0], load())
	if r.config.JSON == "" {
		return nil
	}
	text, err := json.MarshalIndent(r.results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(r.config.JSON, append(text, '\n'), 0o644)
}
