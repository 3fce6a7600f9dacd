package redacted_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/kafka-go"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// Secrets and personal data go through all of Weir: in prompts, answers, errors, headers,
// keys, queries, copies and hedges, in the dialects that are passed on and translated. Then
// nothing of them is in any store, log, metric, trace or answer. The search is shown to find
// what there is: words that may be there, and then the canaries themselves, which are put into
// a store of each kind.
func TestNothingIsKept(t *testing.T) {
	began := time.Now()
	w := newWorld(t)
	t.Logf("all of Weir serves after %v", time.Since(began).Round(time.Millisecond))
	requests := w.requests()
	for _, r := range requests {
		w.send(r)
	}
	w.settled()
	t.Logf("%d requests are rows after %v", len(requests), time.Since(began).Round(time.Millisecond))

	t.Run("what_usage_may_hold_is_said", func(t *testing.T) { w.dropped(t) })
	t.Run("what_may_be_there_is_found", func(t *testing.T) { w.findsWords(t) })
	t.Run("nothing_else_is_there", func(t *testing.T) {
		for _, hit := range w.search() {
			t.Error(hit) // there is nothing that may be found
		}
	})
	t.Run("a_setting_reaches_the_agent", func(t *testing.T) { w.opens(t) })
	t.Run("what_is_planted_is_found", func(t *testing.T) { w.finds(t) })
	t.Logf("it took %v", time.Since(began).Round(time.Millisecond))
}

// settled waits until all usage is in ClickHouse, and all spans are exported.
func (w *world) settled() {
	w.t.Helper()
	w.within(2*time.Minute, "usage is in ClickHouse", func() error {
		said := string(w.ask("SELECT count() FROM weir.requests WHERE outcome != 'refused'")) + string(w.ask("SELECT count() FROM weir.attempts WHERE kind = 'shadow'"))
		var requests, shadows int
		if _, err := fmt.Sscan(said, &requests, &shadows); err != nil || requests < 20 || shadows < 5 {
			return fmt.Errorf("requests and shadows: %q", said)
		}
		return nil
	})
	asked := map[string]bool{}
	for len(w.upstream.asked) > 0 {
		asked[<-w.upstream.asked] = true
	}
	for _, model := range []string{"answers", "breaks", "refuses", "redirects", "babbles", "claude", "gemini", "fails", "slow", "shadow"} {
		if !asked[model] {
			w.t.Errorf("nobody asked for the model %s", model)
		}
	}
	conn, err := pgx.Connect(w.t.Context(), w.DSN)
	w.must(err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(w.t.Context(), "CHECKPOINT") // what is in memory is in files
	w.must(err)
}

func (w *world) dropped(t *testing.T) {
	answer := w.send(w.requests()[0])
	if labels, run := answer.Get("X-Weir-Labels-Dropped"), answer.Get("X-Weir-Run-Dropped"); labels != "environment, feature, secret" || run != "run_pattern" {
		t.Errorf("left out: %q, %q", labels, run)
	}
	rows := string(w.ask("SELECT DISTINCT end_user FROM weir.requests WHERE end_user != ''"))
	if len(strings.Fields(rows)) != 1 || !strings.HasPrefix(rows, "h1.") {
		t.Errorf("end users are named %q", rows)
	}
}

// findsWords shows that the search reads each store.
func (w *world) findsWords(t *testing.T) {
	for store, word := range map[string]string{
		"postgres files": w.allowed("postgres"), "postgres tables": w.allowed("postgres"), "admin API": w.allowed("usage"),
		"kafka files": w.allowed("usage"), "kafka records": w.allowed("usage"), "clickhouse files": w.allowed("usage"), "clickhouse rows": w.allowed("usage"),
		"agent state": w.allowed("usage"), "logs": "by-what-is-said", "metrics": "claude", "traces": "hedged",
	} {
		found := false
		w.stores()[store](func(_ string, content []byte) {
			look := func(plain []byte) { found = found || strings.Contains(string(plain), word) }
			look(content)
			if !found {
				unpacked(content, store == "clickhouse files", look)
			}
		})
		if !found {
			t.Errorf("%s: %q is not found", store, word)
		}
	}
}

// opens turns plain end users and another label on: the agent's next record has them.
func (w *world) opens(t *testing.T) {
	update := &adminv1.UpdateOrganizationRequest{Organization: &adminv1.Organization{Usage: &adminv1.UsageSettings{
		EndUsers: adminv1.EndUsers_END_USERS_PLAIN, Labels: []*adminv1.LabelRule{{Name: "secret", Pattern: ".*@.*"}},
	}}}
	done(w, organizations(w), update)
	w.within(2*time.Minute, "the agent has the setting", func() error {
		if left := w.send(w.requests()[0]).Get("X-Weir-Labels-Dropped"); left != "environment, feature, team" {
			return fmt.Errorf("left out: %q", left)
		}
		return nil
	})
	user := w.canaries.texts["user"]
	w.within(2*time.Minute, "the end user's row", func() error {
		if rows := string(w.ask("SELECT DISTINCT end_user FROM weir.requests WHERE end_user LIKE '%@%'")); strings.TrimSpace(rows) != user {
			return fmt.Errorf("end users %q", rows)
		}
		return nil
	})
	events := string(w.call("weir.admin.v1.HistoryService/ListEvents", map[string]any{"match": map[string]any{"kinds": []string{"OrganizationUpdated"}}}))
	if !strings.Contains(events, "END_USERS_PLAIN") {
		t.Errorf("the log does not say so: %s", events)
	}
}

// finds puts every canary into a store of each kind, and searches again.
func (w *world) finds(t *testing.T) {
	w.plant()
	missing := map[string]bool{}
	for store := range w.stores() {
		for what := range w.canaries.texts {
			missing[store+"/"+what] = true
		}
	}
	for _, hit := range w.search() {
		parts := strings.SplitN(hit, ": ", 3)
		what, _, _ := strings.Cut(parts[2], " (")
		delete(missing, parts[0]+"/"+what)
	}
	for _, hidden := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("%s was planted and is not found", hidden)
	}
}

// plant writes as the stores do: compressed where they compress.
func (w *world) plant() {
	w.t.Helper()
	var all []string
	for what, text := range w.canaries.texts {
		all = append(all, what+" "+text)
	}
	text := strings.Join(all, "\n")
	encoder, err := zstd.NewWriter(nil)
	w.must(err)
	packed := encoder.EncodeAll([]byte(text), nil)

	conn, err := pgx.Connect(w.t.Context(), w.DSN)
	w.must(err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(w.t.Context(), "CREATE TABLE planted (text text)")
	w.must(err)
	for _, line := range all {
		_, err = conn.Exec(w.t.Context(), "INSERT INTO planted VALUES ($1)", line)
		w.must(err)
	}
	_, err = conn.Exec(w.t.Context(), "CHECKPOINT")
	w.must(err)

	writer := &kafka.Writer{Addr: kafka.TCP(w.brokers), Topic: "weir.usage.v1.dead", Compression: kafka.Zstd}
	w.must(writer.WriteMessages(w.t.Context(), kafka.Message{Value: packed}))
	w.must(writer.Close())

	w.ask("CREATE TABLE weir.planted (text String) ENGINE = MergeTree ORDER BY tuple()")
	var values []string
	for _, line := range all {
		values = append(values, "('"+strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(line)+"')")
	}
	w.ask("INSERT INTO weir.planted VALUES " + strings.Join(values, ","))

	w.must(os.WriteFile(filepath.Join(w.agent.StateDir, "spool", "planted"), packed, 0o600))
	w.must(os.WriteFile(filepath.Join(w.Dir, "planted.log"), fmt.Appendf(nil, "%q", text), 0o600))
	w.traces.mu.Lock()
	w.traces.received = append(w.traces.received, packed)
	w.traces.mu.Unlock()
	w.planted = text
}
