package ingest

import (
	"context"
	"time"

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

// Tails reads what agents reported since an instant, and when it looked, both by the
// clock of its own.
type Tails interface {
	Tails(ctx context.Context, since time.Time) (tails []Tail, looked time.Time, err error)
}

// tailsOverlap is longer than a report takes to be committed.
const tailsOverlap = 5 * time.Minute

// PostgresTails reads the fleet's table agent_tail.
type PostgresTails struct{ DB *postgres.DB }

var _ Tails = PostgresTails{}

// Tails implements Tails; the gateway is the registry's affair.
func (p PostgresTails) Tails(ctx context.Context, since time.Time) (out []Tail, looked time.Time, err error) {
	err = p.DB.System(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT now()`).Scan(&looked); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT organization_id, agent_id, boot, last_seq, closed FROM agent_tail WHERE reported_at >= $1`, since)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Tail, err error) {
			return t, row.Scan(&t.Organization, &t.Agent, &t.Boot, &t.LastSeq, &t.Closed)
		})
		return err
	})
	return out, looked, inPostgres(err, "read tails")
}

// copied is what was copied: the tails that were reported since an instant. Boots
// that are over, of which there are ever more, are not asked for again.
type copied struct {
	since time.Time
	tails map[bootID]Tail
}

// copyTails copies the tails that changed, so that completeness knows what did not
// arrive.
func (in *Ingest) copyTails(ctx context.Context) {
	var done copied
	for ctx.Err() == nil {
		if err := in.copyChanged(ctx, &done); err != nil && ctx.Err() == nil {
			in.metrics.errors.WithLabelValues(partOf(err)).Inc()
			in.config.Log.WarnContext(ctx, "tails are not copied", "error", err)
		}
		pause(ctx, in.config.TailsEvery)
	}
}

func (in *Ingest) copyChanged(ctx context.Context, done *copied) error {
	tails, looked, err := in.config.Tails.Tails(ctx, done.since)
	if err != nil {
		return err
	}
	now, changed := copied{looked.Add(-tailsOverlap), make(map[bootID]Tail, len(tails))}, []Tail(nil)
	for _, t := range tails {
		now.tails[bootID{t.Agent, t.Boot}] = t
		was, ok := done.tails[bootID{t.Agent, t.Boot}]
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
	if len(changed) > 0 {
		if err := in.sink.copyTails(ctx, changed); err != nil {
			return err
		}
	}
	*done = now
	return nil
}
