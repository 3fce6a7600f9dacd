package pglog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// Few of many events fit; they are found in either order.
func TestFind(t *testing.T) {
	db := pgtest.Open(t)
	organization, subject := uuid.New(), uuid.New()
	began := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	const fill = `INSERT INTO event (organization_id, version, kind, subject, payload, actor, request_id, recorded_at)
		SELECT $1, v, CASE WHEN v % 10000 = 7 THEN 'RouteArchived' ELSE 'ProjectArchived' END,
			CASE WHEN v % 10000 = 7 THEN $2::uuid ELSE gen_random_uuid() END, '{}',
			CASE WHEN v % 10000 = 7 THEN 'operator' ELSE 'member:m' END, CASE WHEN v % 10000 = 7 THEN 'r' ELSE '' END,
			$3::timestamptz + v * interval '1 second'
		FROM generate_series(1, 30000) v`
	within := func(fn func(pgx.Tx) error) {
		t.Helper()
		if err := db.InOrganization(t.Context(), organization, fn); err != nil {
			t.Fatal(err)
		}
	}
	within(func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), fill, organization, subject, began)
		return err
	})
	at := func(version int) time.Time { return began.Add(time.Duration(version) * time.Second) }
	cases := map[string]struct {
		filter eventlog.Filter
		want   []int64
	}{
		"subject":  {eventlog.Filter{Subject: subject}, []int64{7, 10007, 20007}},
		"kind":     {eventlog.Filter{Kinds: []string{"RouteArchived", "KeyRevoked"}}, []int64{7, 10007, 20007}},
		"actor":    {eventlog.Filter{Actor: "operator"}, []int64{7, 10007, 20007}},
		"request":  {eventlog.Filter{RequestID: "r"}, []int64{7, 10007, 20007}},
		"times":    {eventlog.Filter{From: at(100), Until: at(103)}, []int64{100, 101, 102}},
		"late":     {eventlog.Filter{From: at(29999)}, []int64{29999, 30000}},
		"too_late": {eventlog.Filter{From: at(40000)}, nil},
		"versions": {eventlog.Filter{First: 5, Last: 6}, []int64{5, 6}},
		"all":      {eventlog.Filter{Subject: subject, Actor: "operator", From: at(8), Last: 20006}, []int64{10007}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, newest := range []bool{false, true} {
				within(func(tx pgx.Tx) error {
					found, err := pglog.FindIn(t.Context(), tx, organization, c.filter, newest, 10)
					if err != nil {
						return err
					}
					if len(found) != len(c.want) {
						t.Fatalf("found %d, want %d", len(found), len(c.want))
					}
					for i, e := range found {
						want := c.want[i]
						if newest {
							want = c.want[len(c.want)-1-i]
						}
						if e.Version != want {
							t.Errorf("found %d, want %d", e.Version, want)
						}
					}
					return nil
				})
			}
		})
	}
	t.Run("has_indexes", func(t *testing.T) {
		for _, index := range []string{"event_subject", "event_kind", "event_actor", "event_request", "event_recorded_at"} {
			within(func(tx pgx.Tx) error {
				var definition string
				err := tx.QueryRow(t.Context(), "SELECT indexdef FROM pg_indexes WHERE indexname = $1", index).Scan(&definition)
				if !strings.Contains(definition, "version)") {
					t.Errorf("%s does not end with the version: %s", index, definition)
				}
				return err
			})
		}
	})
}
