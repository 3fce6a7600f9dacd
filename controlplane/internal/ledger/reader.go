package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/quota"
)

// Reader tells how it stands with quotas. It locks nothing and changes nothing.
type Reader struct {
	store store
	now   func() time.Time
}

// NewReader returns the reader of every organization in db.
func NewReader(db *postgres.DB) *Reader { return &Reader{store: &table{db: db}, now: time.Now} }

// Status is how it stands with a quota in its present window, or with one of the subjects
// that it counts apart. Amounts are in the quota's unit.
type Status struct {
	QuotaID uuid.UUID
	Subject string
	// Window by its id and bounds; of rates and slots: none. The zero Span is for ever.
	Window string
	Span   quota.Span
	// Limit is the amount with Raised and CarriedOver. Spent is of requests that ended; Held
	// is in the hands of agents, of which Stranded is with those that will not settle it soon.
	// Free is what is left.
	Limit, Raised, CarriedOver, Spent, Held, Stranded, Free int64
	// Overrun is what was spent that no lease covered, or beyond the limit; WrittenOff what
	// admins freed. Beyond is how much Spent and Held are above the limit now: it is not hard,
	// or was lowered.
	Overrun, WrittenOff, Beyond int64
	// Forecast is nil where nothing can be told.
	Forecast *Forecast
	// Waiting are agents, the first 100, that have not told since a restore what they hold;
	// hard quotas wait for them.
	Waiting []uuid.UUID
	// Leases that hold something, stranded ones first, then those that hold the most.
	Leases []Lease
}

// Lease is what one start of an agent has of one window; of rates and slots, Held is its
// share, and there is no more.
type Lease struct {
	Subject, Window                string
	AgentID                        uuid.UUID
	Boot                           string
	Granted, Spent, Returned, Held int64
	// HeardAt is when the agent was, in whichever start; zero: never.
	HeardAt time.Time
	// Stranded: its agent has been silent for two minutes, or was started anew as long ago.
	Stranded bool
}

const (
	// statusRows bounds what is read of leases and shares: those with the most come first.
	statusRows    = 10_000
	statusWaiting = 100
	// topSubjects are shown of a quota that counts each apart.
	topSubjects = 5
)

// Status tells how it stands with these quotas, in the order of their ids: of those that
// count subjects apart, with the five that spent the most. Nothing of those that are off, or
// that the organization does not have.
func (r *Reader) Status(ctx context.Context, organization uuid.UUID, ids []uuid.UUID) ([]Status, error) {
	s := r.stand()
	err := r.store.look(ctx, organization, func(v view) (err error) {
		if s.quotas, err = v.quotas(ctx); err != nil {
			return err
		}
		top, err := s.top(ctx, v, ids)
		if err != nil {
			return err
		}
		return s.read(ctx, v, top)
	})
	if err != nil {
		return nil, fmt.Errorf("status of quotas: %w", err)
	}
	return s.all(), nil
}

// Subject tells how it stands with one subject of a quota that counts each apart, whether
// anything is known of it or not. false: there is no such quota, it is off or counts all
// together, or the subject is none.
func (r *Reader) Subject(ctx context.Context, organization, id uuid.UUID, subject string) (found Status, ok bool, err error) {
	s, key := r.stand(), series{id, subject}
	err = r.store.look(ctx, organization, func(v view) (err error) {
		if s.quotas, err = v.quotas(ctx); err != nil {
			return err
		}
		if ok = s.quotas[id].apart && subject != "" && storable(subject); !ok {
			return nil
		}
		return s.read(ctx, v, []series{key})
	})
	if err != nil || !ok {
		return found, false, err
	}
	s.all()
	return *s.found[key], true, nil
}

// Place is where a list of subjects goes on.
type Place struct {
	Spent   int64  `json:"s"`
	Subject string `json:"k"`
}

// Subjects are a page of the subjects that a quota counts apart and that have something of
// its present window, those that spent the most first. next is nil at the end.
func (r *Reader) Subjects(ctx context.Context, organization, id uuid.UUID, after *Place, size int) (page []Status, next *Place, err error) {
	s := r.stand()
	var keys []series
	err = r.store.look(ctx, organization, func(v view) (err error) {
		if s.quotas, err = v.quotas(ctx); err != nil {
			return err
		}
		q := s.quotas[id]
		if !q.apart || q.shares || after != nil && !storable(after.Subject) {
			return nil
		}
		asked, err := s.asked(q)
		if err != nil {
			return err
		}
		asked.after = after
		found, err := v.subjects(ctx, []subjectsOf{asked}, size+1)
		if err != nil {
			return err
		}
		if len(found) > size {
			found, next = found[:size], &Place{found[size-1].spent, found[size-1].subject}
		}
		for _, one := range found {
			keys = append(keys, one.series)
		}
		return s.read(ctx, v, keys)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("subjects of quota %s: %w", id, err)
	}
	s.all()
	for _, key := range keys {
		page = append(page, *s.found[key])
	}
	return page, next, nil
}

func (r *Reader) stand() *stand { return &stand{now: r.now(), found: map[series]*Status{}} }
