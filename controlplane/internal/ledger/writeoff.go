package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ pglog.Part = Record

// Record is the log's part that does what admins decided about leases: they are written
// off, or released after a restore, with the event that says so or not at all.
func Record(ctx context.Context, within pgx.Tx, batch *pgx.Batch, recorded []eventlog.Event) error {
	const release = `INSERT INTO quota_release (organization_id, quota_id, epoch) VALUES ($1, $2, $3)
		ON CONFLICT (organization_id, quota_id) DO UPDATE SET epoch = greatest(quota_release.epoch, excluded.epoch)`
	for _, e := range recorded {
		var err error
		switch body := e.Body.(type) {
		case *eventv1.BudgetLeaseWrittenOff:
			err = writeOff(ctx, within, e, body)
		case *eventv1.BudgetLeasesReleased:
			batch.Queue(release, e.OrganizationID, e.Subject, body.GetEpoch())
		case *eventv1.LimitLeasesReleased:
			batch.Queue(release, e.OrganizationID, e.Subject, body.GetEpoch())
		}
		if err != nil {
			return fmt.Errorf("%s of version %d: %w", e.Kind, e.Version, err)
		}
	}
	return nil
}

// writeOff frees all that the lease holds, be it more by now than when that was decided.
func writeOff(ctx context.Context, within pgx.Tx, e eventlog.Event, body *eventv1.BudgetLeaseWrittenOff) error {
	agent, err := uuid.Parse(body.GetAgentId())
	if err != nil {
		return err
	}
	key := leaseKey{accountKey{series{e.Subject, body.GetSubject()}, body.GetWindow()}, agent, body.GetBoot()}
	r := &rows{tx: within, organization: e.OrganizationID}
	s, err := r.read(ctx, wanted{accounts: []accountKey{key.accountKey}, leases: []leaseKey{key}})
	if err != nil {
		return err
	}
	if a, l := s.accounts[key.accountKey], s.leases[key]; a != nil && l != nil {
		a.writeOff(l)
	}
	batch := &pgx.Batch{}
	r.queueSave(batch, s)
	return within.SendBatch(ctx, batch).Close()
}
