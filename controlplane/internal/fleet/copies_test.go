package fleet_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// Of one state folder one boot runs: a later one closes those before it. Copies don't know of each other.
func TestReportTable_tells_copies_of_an_agent(t *testing.T) {
	db := pgtest.Open(t)
	organization, agent := uuid.New(), uuid.New()
	table := fleet.NewReportTable(db)
	for _, step := range []struct {
		what  string
		tails map[string]fleet.Tail
		boots int64
	}{
		{"one_boot", map[string]fleet.Tail{"1-a": {LastSeq: 3}}, 1},
		{"after_a_restart", map[string]fleet.Tail{"1-a": {LastSeq: 3, Closed: true}, "2-b": {LastSeq: 1}}, 1},
		{"a_copy_without_requests", map[string]fleet.Tail{"2-c": {}}, 1},
		{"a_copy_with_requests", map[string]fleet.Tail{"2-c": {LastSeq: 2}}, 2},
	} {
		report := fleet.Report{OrganizationID: organization, AgentID: agent, Tails: step.tails, Status: fleet.Status{LastSeenAt: time.Now(), RejectReasons: []string{}}}
		if err := table.Save(t.Context(), []fleet.Report{report}); err != nil {
			t.Fatal(err)
		}
		got, err := table.Statuses(t.Context(), organization, []uuid.UUID{agent})
		if err != nil || got[agent].Boots != step.boots {
			t.Errorf("%s: %d boots run, want %d; %v", step.what, got[agent].Boots, step.boots, err)
		}
	}
	err := db.System(t.Context(), func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE agent_tail SET reported_at = now() - interval '16 seconds' WHERE boot = '2-b'`)
		return err
	})
	got, read := table.Statuses(t.Context(), organization, []uuid.UUID{agent})
	if err != nil || read != nil || got[agent].Boots != 1 {
		t.Errorf("one that said nothing for long runs on: %d, %v %v", got[agent].Boots, err, read)
	}
}
