package readmodel_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var projectAll = readmodel.Project

func TestRebuild(t *testing.T) {
	db, url := pgtest.OpenURL(t)
	store := readmodel.New(db)
	s, other := tell(t, db, "alpha"), tell(t, db, "beta")
	rebuild := func(t *testing.T, replace bool) []readmodel.Difference {
		t.Helper()
		rebuilt, err := store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: s.id, Replace: replace})
		if err != nil {
			t.Fatal(err)
		}
		if rebuilt.Events != s.head || rebuilt.Count != len(rebuilt.Differences) {
			t.Errorf("folded %d events of %d, counted %d of %d differences", rebuilt.Events, s.head, rebuilt.Count, len(rebuilt.Differences))
		}
		return rebuilt.Differences
	}
	t.Run("refolded_equals_live", func(t *testing.T) {
		if differences := rebuild(t, false); len(differences) > 0 {
			t.Errorf("%+v", differences)
		}
	})
	t.Run("what_ended_and_came_back", func(t *testing.T) {
		third := tell(t, db, "gamma")
		third.addArchived()
		rebuilt, err := store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: third.id})
		if err != nil || rebuilt.Count > 0 {
			t.Errorf("%+v, %v", rebuilt, err)
		}
	})
	t.Run("every_table_has_rows", func(t *testing.T) {
		for _, table := range tables {
			if n := count(t, url, "SELECT count(*) FROM "+table); n < 2 {
				t.Errorf("%s: %d rows of two organizations", table, n)
			}
		}
	})
	t.Run("what_an_older_release_wrote_is_the_same", func(t *testing.T) {
		execute(t, url, `UPDATE provider SET state = (state::jsonb - 'timeouts')::json WHERE id = '`+s.provider.String()+`'`)
		if differences := rebuild(t, false); len(differences) > 0 {
			t.Errorf("%+v", differences)
		}
		execute(t, url, `UPDATE provider SET state = (state::jsonb || '{"more": 1}')::json WHERE id = '`+s.provider.String()+`'`)
		if differences := rebuild(t, true); len(differences) != 1 || differences[0].Fields[0] != "state.more" {
			t.Errorf("%+v", differences)
		}
	})
	t.Run("damage_is_reported_and_mended", func(t *testing.T) {
		execute(t, url, `UPDATE key SET name = 'forged', state = jsonb_set(state::jsonb, '{name}', '"forged"') WHERE name = 'living' AND organization_id = '`+s.id.String()+`'`)
		execute(t, url, `DELETE FROM agent WHERE id = '`+s.agent.String()+`'`)
		stray := uuid.New()
		execute(t, url, fmt.Sprintf(`INSERT INTO agent (organization_id, id, valid_from, name, gateway_id, public_key, state)
			VALUES ('%s', '%s', 1, 'stray', '%[2]s', 'x', '{}')`, s.id, stray))
		execute(t, url, `UPDATE project SET valid_to = 9 WHERE id = '`+s.project.String()+`'`)
		want := []string{
			fmt.Sprintf("project %s, row of version 3: differs in valid_to", s.project),
			fmt.Sprintf("key %s, row of version 6: differs in name, state.name", s.livingKey),
			fmt.Sprintf("agent %s, row of version 11: is missing", s.agent),
			fmt.Sprintf("agent %s, row of version 1: the log does not have it", stray),
		}
		for _, replace := range []bool{false, true} {
			var got []string
			for _, d := range rebuild(t, replace) {
				got = append(got, d.String())
			}
			if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("replace %t: %s", replace, diff)
			}
		}
		if differences := rebuild(t, false); len(differences) != 0 {
			t.Errorf("left %+v", differences)
		}
		if rebuilt, err := store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: other.id}); rebuilt.Count != 0 || err != nil {
			t.Errorf("the other organization: %+v, %v", rebuilt, err)
		}
	})
	t.Run("a_log_with_a_hole_stops_it", func(t *testing.T) {
		execute(t, url, `UPDATE event SET version = 1000 WHERE version = 5 AND organization_id = '`+other.id.String()+`'`)
		if _, err := store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: other.id, Replace: true}); err == nil {
			t.Error("folded it")
		}
	})
	t.Run("unknown_kinds_stop_it", func(t *testing.T) {
		execute(t, url, `UPDATE event SET kind = 'MoonLanded' WHERE kind = 'MemberAdded' AND organization_id = '`+s.id.String()+`'`)
		if _, err := store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: s.id, Replace: true}); !errors.Is(err, eventlog.ErrUnknownKind) {
			t.Errorf("got %v", err)
		}
	})
}

func TestUnprojectedKindsAreRefused(t *testing.T) {
	db := pgtest.Open(t)
	s := tell(t, db, "alpha")
	_, err := s.log.Append(t.Context(), eventlog.Append{
		OrganizationID: s.id, Head: s.head, Changes: []eventlog.Change{{Subject: s.id, Body: &eventv1.Target{}}},
	})
	if !errors.Is(err, eventlog.ErrUnknownKind) {
		t.Errorf("got %v", err)
	}
	if head, err := s.log.Head(t.Context(), s.id); head != s.head || err != nil {
		t.Errorf("head %d, %v; want %d", head, err, s.head)
	}
}

// tables are the read models; every one of them is told of in the story.
var tables = []string{
	"organization", "member", "join_domain", "role_binding", "project", "provider", "route", "key", "gateway",
	"enrolment_token", "agent", "service_account", "service_account_token",
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func count(t *testing.T, url, query string) (n int) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	return conn
}
