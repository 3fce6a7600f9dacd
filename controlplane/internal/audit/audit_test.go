package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/logtest"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// world is a database with one chained organization, and the superuser who may
// change anything in it but has no house key.
type world struct {
	t            *testing.T
	db           *postgres.DB
	house        *house.Keys
	ring         *audit.Keyring
	root         *pgx.Conn
	organization uuid.UUID
	head         int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, url := pgtest.OpenURL(t)
	keys, err := house.Load(filepath.Join(t.TempDir(), "house.key"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := audit.NewKeyring(t.Context(), db, keys)
	if err != nil {
		t.Fatal(err)
	}
	root, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close(context.Background()) })
	return &world{t: t, db: db, house: keys, ring: ring, root: root, organization: uuid.New()}
}

// append records n events in one append; chained or as a release before chains did.
func (w *world) append(n int, chained bool) {
	w.t.Helper()
	log := pglog.New(w.db)
	if chained {
		log = log.ChainedBy(w.ring.Link)
	}
	a := eventlog.Append{
		OrganizationID: w.organization, Head: w.head, Actor: "member:m", RequestID: "r",
		Source: eventlog.Source{Address: "192.0.2.1", UserAgent: "curl/8"},
	}
	for i := range n {
		a.Changes = append(a.Changes, logtest.Project(fmt.Sprintf("p%d-\\u0041 é", i)))
	}
	if _, err := log.Append(w.t.Context(), a); err != nil {
		w.t.Fatal(err)
	}
	w.head += int64(n)
}

func (w *world) verify(expect ...audit.Anchor) audit.Result {
	w.t.Helper()
	result, err := audit.Verify(w.t.Context(), w.db, w.ring, w.organization, audit.Options{Expect: expect})
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

// fine verifies a log that nobody touched.
func (w *world) fine(expect ...audit.Anchor) audit.Result {
	w.t.Helper()
	result := w.verify(expect...)
	if len(result.Findings) > 0 || result.Head != w.head || result.Anchor.Version != w.head {
		w.t.Fatalf("an untouched log of %d: %+v", w.head, result)
	}
	return result
}

// found verifies and wants a finding with this text.
func (w *world) found(want string, expect ...audit.Anchor) {
	w.t.Helper()
	result := w.verify(expect...)
	var said []string
	for _, f := range result.Findings {
		said = append(said, f.String())
	}
	if !strings.Contains(strings.Join(said, "\n"), want) {
		w.t.Errorf("want %q, got %q", want, said)
	}
}

// tamper runs statements as the superuser, in whose way no constraint stands.
func (w *world) tamper(statements ...string) {
	w.t.Helper()
	for _, s := range statements {
		if _, err := w.root.Exec(w.t.Context(), s); err != nil {
			w.t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		statements []string
		want       string
	}{
		"an_edited_row":   {[]string{`UPDATE event SET actor = 'member:other' WHERE version = 3`}, "version 3: its row was edited"},
		"an_edited_space": {[]string{`UPDATE event SET payload = (payload::text || ' ')::json WHERE version = 3`}, "version 3: its row was edited"},
		"a_removed_row":   {[]string{`DELETE FROM event WHERE version = 3`}, "version 3: its row was removed"},
		"a_removed_row_and_its_link": {
			[]string{`DELETE FROM event WHERE version = 4`, `DELETE FROM audit_link WHERE last = 4`}, "version 4: their links were removed",
		},
		"a_row_put_in_twice": {
			[]string{`ALTER TABLE event DROP CONSTRAINT event_pkey`, `INSERT INTO event SELECT * FROM event WHERE version = 3`},
			"version 3: a row was added",
		},
		"a_row_beyond_the_head": {
			[]string{`INSERT INTO event SELECT organization_id, 9, kind, subject, payload, actor, request_id, recorded_at, client_address, user_agent FROM event WHERE version = 3`},
			"version 9: a row was added: the log's head is 6",
		},
		"a_row_before_the_first": {
			[]string{`ALTER TABLE event DROP CONSTRAINT event_version_check`,
				`INSERT INTO event SELECT organization_id, 0, kind, subject, payload, actor, request_id, recorded_at, client_address, user_agent FROM event WHERE version = 3`},
			"version 0: a row was added",
		},
		"rows_swapped": {
			[]string{`UPDATE event SET version = 100 WHERE version = 2`, `UPDATE event SET version = 2 WHERE version = 5`, `UPDATE event SET version = 5 WHERE version = 100`},
			"version 2: its row was edited",
		},
		"the_head_set_back":     {[]string{`UPDATE organization_head SET head = 5`}, "version 6: the log's head was set back to 5"},
		"the_head_removed":      {[]string{`DELETE FROM organization_head`}, "the log's head was set back to 0"},
		"a_link_of_other_rows":  {[]string{`UPDATE audit_link SET digests = (SELECT digests FROM audit_link WHERE last = 4) WHERE last = 5`}, "version 5: their link was edited or forged"},
		"every_link_removed":    {[]string{`DELETE FROM audit_link`}, "versions 1 to 6: the organization is not chained"},
		"the_keys_removed":      {[]string{`DELETE FROM audit_link WHERE last > 3`, `UPDATE audit_link SET key_id = gen_random_uuid()`}, "which is not there"},
		"the_last_link_removed": {[]string{`DELETE FROM audit_link WHERE last = 6`}, "version 6: recorded without a link"},
		"an_absurd_link": {
			[]string{`ALTER TABLE audit_link DROP CONSTRAINT audit_link_check1`, `UPDATE audit_link SET last = 9223372036854775806 WHERE last = 6`}, "their link was edited or forged",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, n := range []int{3, 1, 1, 1} {
				w.append(n, true)
			}
			w.fine()
			w.tamper(c.statements...)
			w.found(c.want)
		})
	}
}

// Whatever column is changed is found; also one that a later migration adds.
func TestVerify_every_column_counts(t *testing.T) {
	w := newWorld(t)
	w.tamper(`ALTER TABLE audit_link DROP CONSTRAINT audit_link_check, DROP CONSTRAINT audit_link_check1`)
	another := map[string]string{
		"text": "COLUMN || 'x'", "uuid": "gen_random_uuid()", "bigint": "COLUMN + 7", "boolean": "NOT COLUMN",
		"json": `'{"name":"other"}'::json`, "timestamp with time zone": "COLUMN + interval '1 microsecond'",
		"bytea": `set_byte(COLUMN, 5, 255 - get_byte(COLUMN, 5))`,
	}
	for table, where := range map[string]string{"event": "version = 2", "audit_link": "last = 4"} {
		for column, kind := range w.columns(t, table) {
			if table == "audit_link" && column == "created_at" {
				continue // for people only; the events have their own times
			}
			t.Run(table+"_"+column, func(t *testing.T) {
				w.t, w.organization, w.head = t, uuid.New(), 0
				w.append(3, true)
				w.append(1, true)
				w.fine()
				value := strings.ReplaceAll(another[kind], "COLUMN", column)
				w.tamper(fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s AND organization_id = '%s'", table, column, value, where, w.organization))
				if len(w.verify().Findings) == 0 {
					t.Errorf("%s.%s is not covered", table, column)
				}
			})
		}
	}
}

// columns are a table's, with their types.
func (w *world) columns(t *testing.T, table string) map[string]string {
	t.Helper()
	rows, err := w.root.Query(t.Context(), `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1`, table)
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]string{}
	var column, kind string
	if _, err := pgx.ForEachRow(rows, []any{&column, &kind}, func() error { columns[column] = kind; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(columns) < 5 {
		t.Fatalf("table %s has %d columns", table, len(columns))
	}
	return columns
}

func TestAnchors(t *testing.T) {
	w := newWorld(t)
	w.append(2, true)
	kept := w.fine().Anchor
	w.append(3, true)
	newer := w.fine(kept).Anchor

	t.Run("its_text_reads_back", func(t *testing.T) {
		got, err := audit.ParseAnchor(newer.String())
		if err != nil || got.String() != newer.String() || got.Version != 5 {
			t.Errorf("%s became %v, %v", newer, got, err)
		}
		for _, text := range []string{"", "5", "5:", "5:00", "x:" + newer.String()[2:], "-1:" + newer.String()[2:]} {
			if _, err := audit.ParseAnchor(text); err == nil {
				t.Errorf("%q was taken", text)
			}
		}
	})
	t.Run("a_version_inside_of_a_link_is_none", func(t *testing.T) {
		w.t = t
		w.found("no link ends here", audit.Anchor{Version: 4, Code: newer.Code})
	})
	t.Run("a_log_cut_off_whole", func(t *testing.T) {
		w.t = t
		w.tamper(`DELETE FROM event WHERE version > 2`, `DELETE FROM audit_link WHERE last > 2`, `UPDATE organization_head SET head = 2`)
		w.head = 2
		w.fine(kept) // nothing in Postgres can show it
		w.found("versions 3 to 5: they were there when the anchor was kept", newer)
	})
	t.Run("a_log_that_went_on_otherwise", func(t *testing.T) {
		w.t = t
		w.append(3, true)
		w.fine(kept)
		w.found("the chain is another one", newer)
	})
	t.Run("an_organization_removed_whole", func(t *testing.T) {
		w.t = t
		w.tamper(`DELETE FROM event`, `DELETE FROM audit_link`, `DELETE FROM organization_head`)
		w.found("versions 1 to 2: they were there", kept)
	})
}

// Releases that did not chain may have written before, or run beside.
func TestBegin(t *testing.T) {
	for name, c := range map[string]struct {
		chained []bool
		late    int64
	}{
		"from_before":                 {[]bool{false, false}, 2},
		"from_before_then_chained":    {[]bool{false, false, true, true}, 2},
		"beside":                      {[]bool{true, false, true, false, false, true}, 3},
		"beside_and_nothing_after_it": {[]bool{true, false}, 1},
		"all_chained":                 {[]bool{true, true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, chained := range c.chained {
				w.append(1, chained)
			}
			if c.late > 0 && len(w.verify().Findings) == 0 {
				t.Error("nobody says that events are not chained")
			}
			if n, err := audit.Begin(t.Context(), w.db, w.ring, w.organization); n != c.late || err != nil {
				t.Fatalf("chained %d, %v", n, err)
			}
			if late := w.fine().Late; late != c.late {
				t.Errorf("%d are said to be chained late, want %d", late, c.late)
			}
			w.append(1, true)
			w.fine()
			w.tamper(`DELETE FROM audit_link WHERE last = 2`)
			if len(w.verify().Findings) == 0 {
				t.Error("a link that was removed is not missed")
			}
		})
	}
	t.Run("a_row_that_is_missing_is_not_chained_over", func(t *testing.T) {
		w := newWorld(t)
		w.append(3, false)
		w.tamper(`DELETE FROM event WHERE version = 2`)
		if _, err := audit.Begin(t.Context(), w.db, w.ring, w.organization); err == nil || !strings.Contains(err.Error(), "version 2 is missing") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a_long_log_is_chained_in_pages", func(t *testing.T) {
		w := newWorld(t)
		w.append(2500, false)
		if _, err := audit.Begin(t.Context(), w.db, w.ring, w.organization); err != nil {
			t.Fatal(err)
		}
		told := int64(0)
		options := audit.Options{Progress: func(events, _ int64) { told = events }}
		result, err := audit.Verify(t.Context(), w.db, w.ring, w.organization, options)
		if err != nil || len(result.Findings) > 0 || told != 2500 {
			t.Errorf("%+v, %v, progress %d", result, err, told)
		}
	})
}

// Every key verifies the links that it made.
func TestKeys_a_new_one_goes_on(t *testing.T) {
	w := newWorld(t)
	w.append(1, true)
	if _, err := audit.AddKey(t.Context(), w.db, w.house); err != nil {
		t.Fatal(err)
	}
	w.append(1, true) // a process that knows the old key only
	ring, err := audit.NewKeyring(t.Context(), w.db, w.house)
	if err != nil {
		t.Fatal(err)
	}
	w.ring = ring
	w.append(1, true)
	w.fine()
	w.tamper(`UPDATE event SET actor = 'x' WHERE version = 1`)
	w.found("version 1: its row was edited")
}

// The whole suite of the log, chained: 16 writers, roll-backs, and every log whole.
func TestLog_chained(t *testing.T) {
	w := newWorld(t)
	logtest.Run(t, func(*testing.T) eventlog.Log {
		return pglog.New(w.db, refuseSome).ChainedBy(w.ring.Link)
	})
	rows, err := w.root.Query(t.Context(), `SELECT organization_id, head FROM organization_head`)
	if err != nil {
		t.Fatal(err)
	}
	heads := map[uuid.UUID]int64{}
	var id uuid.UUID
	var head int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &head}, func() error { heads[id] = head; return nil }); err != nil {
		t.Fatal(err)
	}
	for w.organization, w.head = range heads {
		w.fine()
	}
	if len(heads) < 4 {
		t.Errorf("looked at %d logs only", len(heads))
	}
}

var errRefused = errors.New("a part refuses")

// refuseSome rolls back appends that logtest marks, after the head has moved.
func refuseSome(_ context.Context, _ pgx.Tx, _ *pgx.Batch, recorded []eventlog.Event) error {
	if len(recorded) == 2 && slices.Contains(recorded[1].Payload, '\\') && rand.IntN(2) == 0 {
		return errRefused
	}
	return nil
}

// BenchmarkAppend prints what a link costs an append.
func BenchmarkAppend(b *testing.B) {
	db, _ := pgtest.OpenURL(b)
	keys, err := house.Load(filepath.Join(b.TempDir(), "house.key"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ring, err := audit.NewKeyring(b.Context(), db, keys)
	if err != nil {
		b.Fatal(err)
	}
	logs := []*pglog.Log{pglog.New(db), pglog.New(db).ChainedBy(ring.Link)}
	organizations := []uuid.UUID{uuid.New(), uuid.New()}
	took := make([][]time.Duration, 2)
	for head := int64(0); b.Loop(); head++ { // in turns: the machine's moods hit both
		for i, log := range logs {
			a := eventlog.Append{OrganizationID: organizations[i], Head: head, Changes: []eventlog.Change{logtest.Project("p")}}
			began := time.Now()
			if _, err := log.Append(b.Context(), a); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	median := func(d []time.Duration) float64 { slices.Sort(d); return float64(d[len(d)/2].Microseconds()) }
	plain, chained := median(took[0]), median(took[1])
	b.ReportMetric(plain, "µs-plain")
	b.ReportMetric(chained, "µs-chained")
	b.ReportMetric(chained/plain, "ratio")
}
