package fleet_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

func TestRevocationReach(t *testing.T) {
	db := pgtest.Open(t)
	table := fleet.NewReportTable(db)
	organization, gateway, fast, slow := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	enrolled(t, db, organization, gateway, fast)
	enrolled(t, db, organization, uuid.New(), slow)
	epoch, err := fleet.NewReleaseTable(db).Epoch(t.Context(), organization)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	report := func(agent uuid.UUID, epoch, version int64, applied time.Time) {
		t.Helper()
		err := table.Save(t.Context(), []fleet.Report{{
			OrganizationID: organization, AgentID: agent, Status: fleet.Status{LastSeenAt: now, RejectReasons: []string{}},
			Receipts: map[int64]fleet.Receipt{version: {Epoch: epoch, AppliedAt: applied}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	reach := func(version int64) fleet.Reach {
		t.Helper()
		got, err := table.RevocationReach(t.Context(), fleet.Revoked{OrganizationID: organization, Version: version}, 10)
		if err != nil || len(got.List) != 2 || got.Agents != 2 {
			t.Fatalf("got %+v, %v", got, err)
		}
		return got
	}
	report(fast, epoch, 5, now.Add(-time.Minute))
	report(fast, epoch, 5, now) // said again, as after a restart
	report(fast, epoch, 9, now)
	t.Run("those_without_it_come_first", func(t *testing.T) {
		got := reach(5)
		if got.Applied != 1 || got.List[0].AgentID != slow || !got.List[0].AppliedAt.IsZero() || !got.List[0].LastSeenAt.IsZero() {
			t.Errorf("got %+v", got)
		}
		if at := got.List[1].AppliedAt; !at.Equal(now.Add(-time.Minute)) || got.List[1].Name != "host" {
			t.Errorf("in force at %v, want the first time", at)
		}
	})
	t.Run("a_later_set_has_it_too", func(t *testing.T) {
		if got := reach(7); !got.List[1].AppliedAt.Equal(now) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("an_epoch_that_is_not_this_ones_says_nothing", func(t *testing.T) {
		report(slow, epoch-1, 50, now)
		if got := reach(5); got.Applied != 1 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("the_newest_thousand_are_kept", func(t *testing.T) {
		many := map[int64]fleet.Receipt{}
		for v := range int64(1010) {
			many[v+10] = fleet.Receipt{Epoch: epoch, AppliedAt: now.Add(time.Duration(v) * time.Second)}
		}
		err := table.Save(t.Context(), []fleet.Report{{
			OrganizationID: organization, AgentID: slow, Status: fleet.Status{LastSeenAt: now, RejectReasons: []string{}}, Receipts: many,
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := reach(5); got.Applied != 2 || !got.List[0].AppliedAt.Equal(now.Add(10*time.Second)) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("another_organization_sees_nothing", func(t *testing.T) {
		if got, err := table.RevocationReach(t.Context(), fleet.Revoked{OrganizationID: uuid.New(), Version: 5}, 10); err != nil || got.Agents != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
