package ingest

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Tail is the highest number that a boot said it gave out.
type Tail struct {
	Organization, Gateway, Agent uuid.UUID
	Boot                         string
	LastSeq                      int64
	// Closed: the boot is over and gives out no more.
	Closed bool
}

// Tails reads what agents reported.
type Tails interface {
	Tails(ctx context.Context) ([]Tail, error)
}

// PostgresTails reads the fleet's table agent_tail.
type PostgresTails struct{ DB *postgres.DB }

var _ Tails = PostgresTails{}

// Tails returns every tail; the gateway is the registry's affair.
func (p PostgresTails) Tails(ctx context.Context) (out []Tail, err error) {
	err = p.DB.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT organization_id, agent_id, boot, last_seq, closed FROM agent_tail`)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Tail, err error) {
			return t, row.Scan(&t.Organization, &t.Agent, &t.Boot, &t.LastSeq, &t.Closed)
		})
		return err
	})
	return out, wrap(err, "read tails")
}

// copyTails copies the tails that changed, so that completeness knows what did not
// arrive.
func (in *Ingest) copyTails(ctx context.Context) {
	copied := map[bootID]Tail{}
	for ctx.Err() == nil {
		if err := in.copyChanged(ctx, copied); err != nil && ctx.Err() == nil {
			in.metrics.errors.WithLabelValues("tails").Inc()
			in.config.Log.WarnContext(ctx, "tails are not copied", "error", err)
		}
		pause(ctx, in.config.TailsEvery)
	}
}

func (in *Ingest) copyChanged(ctx context.Context, copied map[bootID]Tail) error {
	tails, err := in.config.Tails.Tails(ctx)
	if err != nil {
		return err
	}
	var changed []Tail
	for _, t := range tails {
		was, ok := copied[bootID{t.Agent, t.Boot}]
		if ok && was.LastSeq == t.LastSeq && was.Closed == t.Closed {
			continue
		}
		a, err := in.agents.agent(ctx, t.Agent)
		if err != nil {
			return err
		}
		t.Gateway = a.GatewayID
		changed = append(changed, t)
	}
	if len(changed) == 0 {
		return nil
	}
	if err := in.sink.copyTails(ctx, changed); err != nil {
		return err
	}
	for _, t := range changed {
		copied[bootID{t.Agent, t.Boot}] = t
	}
	return nil
}
