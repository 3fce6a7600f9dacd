package readmodel_test

import (
	"errors"
	"testing"

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
		differences, err := store.Rebuild(t.Context(), s.id, replace)
		if err != nil {
			t.Fatal(err)
		}
		return differences
	}
	t.Run("refolded_equals_live", func(t *testing.T) {
		if differences := rebuild(t, false); len(differences) > 0 {
			t.Errorf("%+v", differences)
		}
	})
	t.Run("every_table_has_rows", func(t *testing.T) {
		for _, table := range tables {
			if n := count(t, url, "SELECT count(*) FROM "+table); n < 2 {
				t.Errorf("%s: %d rows of two organizations", table, n)
			}
		}
	})
	t.Run("damage_is_reported_and_mended", func(t *testing.T) {
		execute(t, url, `UPDATE key SET name = 'forged' WHERE name = 'living' AND organization_id = '`+s.id.String()+`'`)
		execute(t, url, `DELETE FROM agent WHERE id = '`+s.agent.String()+`'`)
		execute(t, url, `UPDATE project SET valid_to = 9 WHERE id = '`+s.project.String()+`'`)
		if differences := rebuild(t, false); len(differences) != 3 {
			t.Errorf("reported %+v", differences)
		}
		if differences := rebuild(t, true); len(differences) != 3 {
			t.Errorf("replaced %+v", differences)
		}
		if differences := rebuild(t, false); len(differences) != 0 {
			t.Errorf("left %+v", differences)
		}
		if differences, err := store.Rebuild(t.Context(), other.id, false); len(differences) != 0 || err != nil {
			t.Errorf("the other organization: %+v, %v", differences, err)
		}
	})
	t.Run("unknown_kinds_stop_it", func(t *testing.T) {
		execute(t, url, `UPDATE event SET kind = 'MoonLanded' WHERE kind = 'MemberAdded' AND organization_id = '`+s.id.String()+`'`)
		if _, err := store.Rebuild(t.Context(), s.id, true); !errors.Is(err, eventlog.ErrUnknownKind) {
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
	"organization", "member", "project", "provider", "route", "key", "gateway",
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

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	return conn
}
