package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestReleases(t *testing.T) {
	t.Run("memory", func(t *testing.T) { releasesSuite(t, &fleettest.Releases{}) })
	t.Run("postgres", func(t *testing.T) { releasesSuite(t, fleet.NewReleaseTable(pgtest.Open(t))) })
}

func draft(organization, gateway uuid.UUID, version int64, root byte) fleet.Draft {
	return fleet.Draft{
		OrganizationID: organization, GatewayID: gateway, Track: rollout.Stable, Version: version, Root: bytes.Repeat([]byte{root}, 32),
		Believed: []string{"k"}, Seal: sealing(version, 3),
	}
}

func sealing(version int64, capability int32) func(epoch int64) (*policyv1.SignedRelease, error) {
	return func(epoch int64) (*policyv1.SignedRelease, error) {
		header, err := proto.Marshal(&policyv1.Release{Epoch: epoch, Version: version, MinimumCapability: capability})
		if err != nil {
			return nil, err
		}
		return &policyv1.SignedRelease{Release: header, Signature: make([]byte, 64), SigningKeyId: "k"}, nil
	}
}

func releasesSuite(t *testing.T, releases fleet.Releases) {
	publish := func(t *testing.T, d fleet.Draft) fleet.Release {
		t.Helper()
		r, err := releases.Publish(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	t.Run("an_epoch_begins_at_unix_seconds_and_stays", func(t *testing.T) {
		organization := uuid.New()
		before := time.Now().Unix()
		first, err := releases.Epoch(t.Context(), organization)
		if err != nil {
			t.Fatal(err)
		}
		second, _ := releases.Epoch(t.Context(), organization)
		if first < before || first != second {
			t.Errorf("epochs %d and %d, began at %d", first, second, before)
		}
	})
	t.Run("the_same_content_is_released_once", func(t *testing.T) {
		organization, gateway := uuid.New(), uuid.New()
		first := publish(t, draft(organization, gateway, 5, 1))
		again := publish(t, draft(organization, gateway, 9, 1))
		if diff := cmp.Diff(first, again, protocmp.Transform()); diff != "" {
			t.Errorf("another release came back:\n%s", diff)
		}
	})
	t.Run("old_content_returns_as_a_new_release", func(t *testing.T) {
		organization, gateway := uuid.New(), uuid.New()
		publish(t, draft(organization, gateway, 1, 1))
		publish(t, draft(organization, gateway, 2, 2))
		if r := publish(t, draft(organization, gateway, 3, 1)); r.Version != 3 {
			t.Errorf("version %d, want 3", r.Version)
		}
	})
	t.Run("an_older_version_is_outdated", func(t *testing.T) {
		organization, gateway := uuid.New(), uuid.New()
		publish(t, draft(organization, gateway, 5, 1))
		if _, err := releases.Publish(t.Context(), draft(organization, gateway, 4, 2)); !errors.Is(err, fleet.ErrOutdated) {
			t.Errorf("got %v, want ErrOutdated", err)
		}
	})
	t.Run("nothing_new_of_a_suspended_organization", func(t *testing.T) {
		organization, gateway := uuid.New(), uuid.New()
		frozen := draft(organization, gateway, 5, 1)
		frozen.Frozen = true
		if _, err := releases.Publish(t.Context(), frozen); !errors.Is(err, fleet.ErrFrozen) {
			t.Errorf("a first release: %v", err)
		}
		first := publish(t, draft(organization, gateway, 5, 1))
		if diff := cmp.Diff(first, publish(t, frozen), protocmp.Transform()); diff != "" {
			t.Errorf("what agents have is not what they get:\n%s", diff)
		}
		frozen = draft(organization, gateway, 6, 2)
		frozen.Frozen = true
		if _, err := releases.Publish(t.Context(), frozen); !errors.Is(err, fleet.ErrFrozen) {
			t.Errorf("a new release: %v", err)
		}
	})
	t.Run("other_content_at_the_same_version_raises_the_epoch", func(t *testing.T) {
		organization, gateway := uuid.New(), uuid.New()
		announced := draft(organization, gateway, 5, 1)
		first := publish(t, announced)
		announced.Believed = []string{"sk_old", "sk_new"}
		told := publish(t, announced)
		if told.Epoch <= first.Epoch || publish(t, announced).Epoch != told.Epoch {
			t.Errorf("other keys to believe: %+v after %+v", told, first)
		}
		first = told
		second := publish(t, draft(organization, gateway, 5, 2))
		if second.Epoch <= first.Epoch || second.Version != 5 {
			t.Errorf("first %d/%d, second %d/%d", first.Epoch, first.Version, second.Epoch, second.Version)
		}
	})
	t.Run("a_raised_epoch_releases_the_same_content_again", func(t *testing.T) {
		organization, gateway, other := uuid.New(), uuid.New(), uuid.New()
		first := publish(t, draft(organization, gateway, 5, 1))
		publish(t, draft(organization, other, 5, 1))
		raised := publish(t, draft(organization, other, 5, 2)).Epoch
		if again := publish(t, draft(organization, gateway, 5, 1)); raised <= first.Epoch || again.Epoch != raised {
			t.Errorf("released in epoch %d, which was raised to %d, then in %d", first.Epoch, raised, again.Epoch)
		}
	})
	t.Run("each_track_has_its_own", func(t *testing.T) {
		organization, gateway := uuid.New(), uuid.New()
		stable := publish(t, draft(organization, gateway, 5, 1))
		other := draft(organization, gateway, 5, 2)
		other.Track = rollout.Candidate
		candidate := publish(t, other)
		if candidate.Epoch != stable.Epoch || bytes.Equal(candidate.Root, stable.Root) {
			t.Errorf("stable %+v, candidate %+v", stable, candidate)
		}
		if again := publish(t, draft(organization, gateway, 9, 1)); again.Version != 5 {
			t.Errorf("version %d of what is released", again.Version)
		}
	})
	t.Run("below_its_floor_the_same_content_is_released_again", func(t *testing.T) {
		organization, gateway := uuid.New(), uuid.New()
		publish(t, draft(organization, gateway, 5, 1))
		moved := draft(organization, gateway, 9, 1)
		moved.Floor = 8
		if r := publish(t, moved); r.Version != 9 {
			t.Errorf("version %d, want 9", r.Version)
		}
		moved.Version = 12
		if r := publish(t, moved); r.Version != 9 {
			t.Errorf("version %d above its floor", r.Version)
		}
	})
	t.Run("racing_writers_agree", func(t *testing.T) {
		organization, gateway := uuid.New(), uuid.New()
		if _, err := releases.Epoch(t.Context(), organization); err != nil {
			t.Fatal(err)
		}
		for version := range int64(30) {
			got := make([]fleet.Release, 8)
			var wait sync.WaitGroup
			for i := range got {
				wait.Go(func() {
					var err error
					if got[i], err = releases.Publish(context.Background(), draft(organization, gateway, version+1, byte(version))); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			for _, r := range got {
				if diff := cmp.Diff(got[0], r, protocmp.Transform()); diff != "" || r.Version != version+1 {
					t.Fatalf("writers disagree:\n%s", diff)
				}
			}
		}
	})
}

func TestReportTable(t *testing.T) {
	db := pgtest.Open(t)
	table := fleet.NewReportTable(db)
	organization, agent := uuid.New(), uuid.New()
	now := time.Now().UTC().Truncate(time.Microsecond)
	report := func(at time.Time, version int64, seq int64, closed bool) fleet.Report {
		return fleet.Report{
			OrganizationID: organization, AgentID: agent,
			Status: fleet.Status{LastSeenAt: at, Version: "1", PolicyEpoch: 1, PolicyVersion: version, RejectReasons: []string{"because"},
				OldestEpoch: 1, OldestVersion: 5, Capability: 4, IgnoredKinds: []string{"guardrail"}, Requests: 5, Failures: 3},
			Tails: map[string]fleet.Tail{"b1": {LastSeq: seq, Closed: closed}},
		}
	}
	save := func(r fleet.Report) {
		t.Helper()
		if err := table.Save(t.Context(), []fleet.Report{r}); err != nil {
			t.Fatal(err)
		}
	}
	save(report(now, 7, 10, true))
	save(report(now.Add(-time.Second), 6, 4, false))

	t.Run("an_older_report_changes_nothing", func(t *testing.T) {
		got, err := table.Statuses(t.Context(), organization, []uuid.UUID{agent, uuid.New()})
		if err != nil {
			t.Fatal(err)
		}
		status := report(now, 7, 0, false).Status
		status.LastRejectReasons, status.LastRejectedAt = status.RejectReasons, now
		want := map[uuid.UUID]fleet.Status{agent: status}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the_last_refusal_stays_known", func(t *testing.T) {
		fine := report(now.Add(time.Second), 8, 10, true)
		fine.Status.RejectReasons, fine.Status.Address, fine.Status.SpoolOldestAt = []string{}, "192.0.2.7", now.Add(-time.Hour)
		save(fine)
		got, err := table.Statuses(t.Context(), organization, []uuid.UUID{agent})
		if err != nil {
			t.Fatal(err)
		}
		want := fine.Status
		want.LastRejectReasons, want.LastRejectedAt = []string{"because"}, now
		if diff := cmp.Diff(want, got[agent]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("credentials_stay_as_last_said", func(t *testing.T) {
		stale := fleet.Credential{State: agentv1.CredentialStatus_STATE_STALE, Reason: "gone", Since: now, Fingerprint: "ab", FingerprintKey: "cd"}
		said := report(now.Add(2*time.Second), 8, 10, true)
		said.Status.Credentials = map[string]fleet.Credential{"p1": stale, "p2": {State: agentv1.CredentialStatus_STATE_OK}, "p4": {State: agentv1.CredentialStatus_STATE_NONE}}
		save(said)
		save(report(now.Add(3*time.Second), 8, 10, true))
		for provider, want := range map[string]map[string]fleet.Credential{"": said.Status.Credentials, "p1": {"p1": stale}, "p3": {}} {
			got, err := table.Credentials(t.Context(), organization, []uuid.UUID{agent}, provider)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[uuid.UUID]fleet.Credentials{agent: {LastSeenAt: now.Add(3 * time.Second), ByProvider: want}}, got); diff != "" {
				t.Errorf("%q: %s", provider, diff)
			}
		}
		got, err := table.Troubles(t.Context(), organization, []uuid.UUID{agent})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]fleet.Credential{"p1": stale}, got[agent].ByProvider); diff != "" {
			t.Error(diff)
		}
		if got, err := table.Credentials(t.Context(), uuid.New(), []uuid.UUID{agent}, ""); err != nil || len(got) != 0 {
			t.Errorf("another organization sees %v, %v", got, err)
		}
	})
	t.Run("targets_stay_as_last_said", func(t *testing.T) {
		slow := fleet.Target{ProviderID: "p1", Model: "m", State: agentv1.TargetStatus_STATE_CLOSED, Since: now, TimeToFirstTokenUS: 5, TimePerTokenUS: 6, InFlight: 7}
		open := fleet.Target{ProviderID: "p2", Model: "m", State: agentv1.TargetStatus_STATE_OPEN, Reason: "503", Since: now}
		said := report(now.Add(4*time.Second), 8, 10, true)
		said.Status.Targets = &fleet.Targets{SaidAt: now, Targets: []fleet.Target{slow, open}, LeftOut: 3}
		save(said)
		save(report(now.Add(5*time.Second), 8, 10, true))
		for provider, want := range map[string][]fleet.Target{"": {open, slow}, "p1": {slow}, "p3": nil} {
			got, err := table.Targets(t.Context(), organization, []uuid.UUID{agent}, fleet.TargetFilter{Provider: provider}, 10)
			if err != nil {
				t.Fatal(err)
			}
			page := fleet.TargetPage{Found: int64(len(want)), Unreported: 3}
			for _, target := range want {
				page.Targets = append(page.Targets, fleet.AgentTarget{AgentID: agent, SaidAt: now, Target: target})
			}
			if diff := cmp.Diff(page, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q: %s", provider, diff)
			}
		}
		if got, err := table.Targets(t.Context(), organization, []uuid.UUID{agent}, fleet.TargetFilter{}, 1); err != nil || len(got.Targets) != 1 || got.Found != 2 {
			t.Errorf("of one at most: %v, %v", got, err)
		}
		if got, err := table.Targets(t.Context(), uuid.New(), []uuid.UUID{agent}, fleet.TargetFilter{}, 10); err != nil || len(got.Targets) != 0 || got.Unreported != 0 {
			t.Errorf("another organization sees %v, %v", got, err)
		}
	})
	t.Run("tails_never_go_back", func(t *testing.T) {
		var got fleet.Tail
		err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
			const query = `SELECT last_seq, closed FROM agent_tail WHERE agent_id = $1 AND boot = 'b1'`
			return tx.QueryRow(t.Context(), query, agent).Scan(&got.LastSeq, &got.Closed)
		})
		if err != nil || got.LastSeq != 10 || !got.Closed {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("another_organization_sees_nothing", func(t *testing.T) {
		got, err := table.Statuses(t.Context(), uuid.New(), []uuid.UUID{agent})
		if err != nil || len(got) != 0 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestReportTable_counts_newer_releases(t *testing.T) {
	db := pgtest.Open(t)
	organization, gateway, agent := uuid.New(), uuid.New(), uuid.New()
	enrolled(t, db, organization, gateway, agent)
	releases, table := fleet.NewReleaseTable(db), fleet.NewReportTable(db)
	for version := range int64(3) {
		if _, err := releases.Publish(t.Context(), draft(organization, gateway, version+1, byte(version))); err != nil {
			t.Fatal(err)
		}
	}
	epoch, err := releases.Epoch(t.Context(), organization)
	if err != nil {
		t.Fatal(err)
	}
	for version, behind := range map[int64]int64{0: 3, 1: 2, 3: 0} {
		status := fleet.Status{LastSeenAt: time.Now(), PolicyEpoch: epoch, PolicyVersion: version, RejectReasons: []string{}}
		if err := table.Save(t.Context(), []fleet.Report{{OrganizationID: organization, AgentID: agent, Status: status}}); err != nil {
			t.Fatal(err)
		}
		got, err := table.Statuses(t.Context(), organization, []uuid.UUID{agent})
		if err != nil || got[agent].ReleasesBehind != behind || got[agent].NeededCapability != 3 || got[agent].BehindSince.IsZero() != (behind == 0) {
			t.Errorf("at version %d: %d behind since %v, want %d; %v", version, got[agent].ReleasesBehind, got[agent].BehindSince, behind, err)
		}
	}
	candidate := draft(organization, gateway, 4, 4)
	candidate.Track, candidate.Seal = rollout.Candidate, sealing(4, 4)
	if _, err := releases.Publish(t.Context(), candidate); err != nil {
		t.Fatal(err)
	}
	got, err := table.Statuses(t.Context(), organization, []uuid.UUID{agent})
	if err != nil || got[agent].NeededCapability != 3 {
		t.Errorf("a stable agent needs capability %d, want that of the stable release; %v", got[agent].NeededCapability, err)
	}
}

// enrolled writes the row that the read model would have.
func enrolled(t *testing.T, db *postgres.DB, organization, gateway, agent uuid.UUID) {
	t.Helper()
	err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO agent (organization_id, id, valid_from, name, gateway_id, public_key, state)
			VALUES ($1, $2, 1, 'host', $3, $4, '{}')`, organization, agent, gateway, agent[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
