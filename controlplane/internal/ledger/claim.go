package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// LeaseKey names what a start of an agent has of a window.
type LeaseKey struct {
	QuotaID         uuid.UUID
	Subject, Window string
	AgentID         uuid.UUID
	Boot            string
}

// Claimed is a lease as it is for a decision to write it off, which Record carries out. A
// fault is NotFound where the lease holds nothing, or is of another organization, and
// Precondition where its agent may well settle it.
func Claimed(ctx context.Context, within pgx.Tx, organization uuid.UUID, key LeaseKey, now time.Time) (Lease, error) {
	none := fault.Because(fault.NotFound, "lease_not_found", "no lease of agent %s, boot %q, holds anything in window %q", key.AgentID, key.Boot, key.Window)
	if !storable(key.Subject + key.Window + key.Boot) {
		return Lease{}, none
	}
	r := &rows{tx: within, organization: organization}
	held, err := r.holders(ctx, []accountKey{{series{key.QuotaID, key.Subject}, key.Window}})
	if err != nil {
		return Lease{}, err
	}
	for _, h := range held {
		if h.agent != key.AgentID || h.boot != key.Boot {
			continue
		}
		if !h.stranded(now) {
			return Lease{}, fault.Because(fault.Precondition, "lease_not_stranded",
				"the agent was heard %s ago, and may settle the lease by itself; it is stranded %s after its last word, or after a later start of it",
				now.Sub(h.of.heard).Round(time.Second), strandedAfter)
		}
		return h.shown(now), nil
	}
	return Lease{}, none
}

// Wait is what a quota waits for after a restore.
type Wait struct {
	// Epoch of the restore; 0: there was none.
	Epoch int64
	// Agents, the first 100, that have not told what they hold.
	Agents []uuid.UUID
	// KnownHeld is what these hold as far as the ledger knows; Free what can be granted again,
	// any part of which they may hold, too. Of all that the quota counts apart together.
	KnownHeld, Free int64
}

// Waits is what a quota waits for, for a decision to let it wait no longer, which Record
// carries out; no Agents: for nobody.
func Waits(ctx context.Context, within pgx.Tx, organization, id uuid.UUID, now time.Time) (w Wait, err error) {
	r := &rows{tx: within, organization: organization}
	s := &stand{now: now, found: map[series]*Status{}}
	last, err := r.restored(ctx)
	if err != nil {
		return w, err
	}
	if s.quotas, err = r.quotas(ctx); err != nil {
		return w, err
	}
	w.Epoch = last.epoch
	q, ok := s.quotas[id]
	if !ok || q.shares {
		return w, nil
	}
	span, err := q.span(now)
	if err != nil || !q.waits(q.shown(span), last) {
		return w, err
	}
	all := []series{{quota: id}}
	if q.apart {
		asked, err := s.asked(q)
		if err != nil {
			return w, err
		}
		found, err := r.subjects(ctx, []subjectsOf{asked}, statusRows)
		if err != nil {
			return w, err
		}
		all = nil
		for _, one := range found {
			all = append(all, one.series)
		}
	}
	missing, released, err := r.missing(ctx, last, statusWaiting)
	if err != nil || released[id] || len(missing) == 0 {
		return w, err
	}
	if w.Agents = missing; len(all) > 0 {
		err = s.read(ctx, r, all)
	}
	waited := map[uuid.UUID]bool{}
	for _, agent := range missing {
		waited[agent] = true
	}
	s.all()
	for _, f := range s.found {
		w.Free = add(w.Free, f.Free)
		for _, l := range f.Leases {
			if waited[l.AgentID] {
				w.KnownHeld = add(w.KnownHeld, l.Held)
			}
		}
	}
	return w, err
}
