package command_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/token"
)

// processes are runners of several control planes on one database.
func processes(db *postgres.DB, n int) []*command.Runner {
	runners := make([]*command.Runner, n)
	for i := range runners {
		runners[i] = command.NewRunner(pglog.New(db, readmodel.Project), readmodel.New(db))
	}
	return runners
}

func commit(t *testing.T, r *command.Runner, id uuid.UUID, changes []eventlog.Change, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Commit(t.Context(), command.Origin{Organization: id, Actor: "operator"}, func(context.Context, readmodel.View) (command.Plan, error) {
		return command.Plan{Changes: changes}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func found(t *testing.T, r *command.Runner) uuid.UUID {
	t.Helper()
	id := uuid.New()
	changes, err := organization.Create(organization.Creation{ID: id, Name: "o-" + id.String()})
	commit(t, r, id, changes, err)
	return id
}

// createProject decides as the API does; refuse makes the commit fail after it decided.
func createProject(ctx context.Context, r *command.Runner, organization uuid.UUID, name string, refuse bool) error {
	_, err := r.Commit(ctx, command.Origin{Organization: organization, Actor: "operator"}, func(ctx context.Context, v readmodel.View) (command.Plan, error) {
		taken, err := readmodel.Projects.Any(ctx, v, readmodel.Match{Column: "name", Value: name})
		if err != nil {
			return command.Plan{}, err
		}
		changes, err := project.Create(project.Creation{ID: uuid.New(), Settings: project.Settings{Name: name}, NameTaken: taken})
		plan := command.Plan{Changes: changes}
		if refuse {
			plan.Parts = []pglog.Part{func(context.Context, pgx.Tx, *pgx.Batch, []eventlog.Event) error { return errRefused }}
		}
		return plan, err
	})
	return err
}

var errRefused = errors.New("refused after the head moved")

func TestContradictionsAcrossProcesses(t *testing.T) {
	db := pgtest.Open(t)
	runners := processes(db, 4)
	id := found(t, runners[0])
	var won, conflicts, refused atomic.Int64
	var group sync.WaitGroup
	for w := range 16 {
		group.Go(func() {
			for i := range 8 {
				err := createProject(t.Context(), runners[w%4], id, fmt.Sprintf("p%d", i), w%5 == 4)
				switch {
				case err == nil:
					won.Add(1)
				case fault.Is(err, fault.Conflict):
					conflicts.Add(1)
				case errors.Is(err, errRefused):
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if won.Load() != 8 {
		t.Errorf("%d projects were created, want 8; %d conflicts, %d refused", won.Load(), conflicts.Load(), refused.Load())
	}
	events, err := pglog.New(db).Read(t.Context(), id, 0, 100)
	if err != nil || len(events) != 9 || events[8].Version != 9 {
		t.Errorf("%d events, %v", len(events), err)
	}
	if rebuilt, err := readmodel.New(db).Rebuild(t.Context(), readmodel.Rebuilding{Organization: id}); rebuilt.Count > 0 || err != nil {
		t.Errorf("read models differ: %v, %v", rebuilt.Differences, err)
	}
}

func TestEnrolAgent(t *testing.T) {
	db := pgtest.Open(t)
	runners := processes(db, 2)
	id, gatewayID := found(t, runners[0]), uuid.New()
	changes, err := gateway.Create(gateway.Creation{ID: gatewayID, Name: "prod", Region: "local"})
	commit(t, runners[0], id, changes, err)
	text, hash, _, err := token.New(token.Enrolment)
	if err != nil {
		t.Fatal(err)
	}
	changes, err = gateway.CreateToken(gateway.TokenCreation{
		ID: uuid.New(), GatewayID: gatewayID, SHA256: hash, MaxUses: 3, Now: time.Now(), GatewayExists: true,
	})
	commit(t, runners[0], id, changes, err)

	t.Run("uses_are_never_exceeded", func(t *testing.T) {
		var joined, exhausted atomic.Int64
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				public, _, _ := ed25519.GenerateKey(nil)
				one, err := runners[i%2].EnrolAgent(t.Context(), hash, public, "host")
				if isReason(err, gateway.ReasonTokenExhausted) {
					exhausted.Add(1)
					return
				}
				again, againErr := runners[i%2].EnrolAgent(t.Context(), token.Hash(text), public, "host")
				if err != nil || againErr != nil || one.ID != again.ID || one.GatewayID != gatewayID || one.OrganizationID != id {
					t.Errorf("%+v, %v; again %+v, %v", one, err, again, againErr)
				}
				joined.Add(1)
			})
		}
		group.Wait()
		if joined.Load() != 3 || exhausted.Load() != 9 {
			t.Errorf("%d joined, %d were too late", joined.Load(), exhausted.Load())
		}
	})
	t.Run("unknown_token", func(t *testing.T) {
		_, err := runners[0].EnrolAgent(t.Context(), [32]byte{1}, make([]byte, 32), "host")
		if !isReason(err, gateway.ReasonTokenUnknown) {
			t.Errorf("got %v", err)
		}
	})
}

func isReason(err error, reason string) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.Unauthenticated && f.Reason == reason
}
