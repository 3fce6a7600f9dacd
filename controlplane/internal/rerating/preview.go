package rerating

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gate"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerate"
)

const (
	// onItsWay is how long after its time a row may still come to be seen.
	onItsWay = 10 * time.Second
	// mostPreviewed attempts are looked at while a caller waits.
	mostPreviewed = 5_000_000
	// answerBytes bound what one statement's answer may have, of mostAttempts with long labels.
	answerBytes = 512 << 20

	// Each dry run holds such an answer, for up to five minutes.
	maxAtOnce     = 4 // of this process
	maxEachAtOnce = 2 // of one organization
)

// Preview tells what re-rates would come to, and writes nothing.
type Preview struct {
	conn    *clickhouse.Conn
	store   *readmodel.Store
	builtin Books
	gate    *gate.Gate
}

// NewPreview takes the URL of the user report, as reports do, and the database that holds
// the views. It does not wait for the server.
func NewPreview(url, database string, store *readmodel.Store, builtin Books) (*Preview, error) {
	conn, err := clickhouse.OpenBounded(url, database, answerBytes)
	if err != nil {
		return nil, err
	}
	return &Preview{conn, store, builtin, gate.New(maxAtOnce, maxEachAtOnce)}, nil
}

// Close ends the connections.
func (p *Preview) Close() error { return p.conn.Close() }

// Covered is the moment until which all that was stored is to be seen, by the analytics
// store's clock, in whole seconds.
func (p *Preview) Covered(ctx context.Context) (at time.Time, err error) {
	if err := p.conn.QueryRow(ctx, "SELECT now('UTC')").Scan(&at); err != nil {
		return at, unanswered(err)
	}
	return at.UTC().Add(-onItsWay), nil
}

var errTooMany = fault.Because(fault.Exhausted, "too_many_dry_runs",
	"%d dry runs of the organization run already, or %d in all: try again when one has ended", maxEachAtOnce, maxAtOnce)

// Differences are what a re-rate with these settings would come to, were the proposed overrides
// made. An Exhausted fault: it has too much to look at, or too many are asked for at once.
func (p *Preview) Differences(ctx context.Context, organization uuid.UUID, s rerate.Settings, proposed []priceoverride.PriceOverride) (rerate.Tally, error) {
	var tally rerate.Tally
	leave, ok := p.gate.Enter(organization)
	if !ok {
		return tally, errTooMany
	}
	defer leave()
	judge, err := newJudge(ctx, p.store, organization, s, p.builtin, proposed)
	if err != nil {
		return tally, err
	}
	from := &source{conn: p.conn, organization: organization, settings: s}
	all, err := from.count(ctx, window{s.From, s.Until})
	switch {
	case err != nil:
		return tally, unanswered(err)
	case all > mostPreviewed:
		return tally, fault.Because(fault.Exhausted, "rerate_too_large",
			"a dry run looks at %d attempts at most, and there are %d: narrow the time range, or name a model", mostPreviewed, all)
	}
	lost, err := from.lost(ctx)
	if err != nil {
		return tally, unanswered(err)
	}
	tally.Total.LeaveOut(rerate.Lost, lost)
	var width widths
	for at := s.From; at.Before(s.Until); {
		w, err := width.after(ctx, from, at)
		if err != nil {
			return tally, unanswered(err)
		}
		b, err := from.read(ctx, w)
		if err != nil {
			return tally, unanswered(err)
		}
		if _, err := corrections(ctx, judge, &tally, b); err != nil {
			return tally, err
		}
		at = w.until
	}
	return tally, nil
}

func unanswered(err error) error {
	return fault.Unanswered(err, "analytics_unavailable", "the analytics store does not answer; try again")
}

// newJudge prices by the settings' book, and the proposed overrides. ErrNoBook: this build does
// not have it.
func newJudge(ctx context.Context, store *readmodel.Store, organization uuid.UUID, s rerate.Settings, builtin Books, proposed []priceoverride.PriceOverride) (*rerate.Judge, error) {
	w, err := newWorld(ctx, store, organization, builtin)
	if err != nil {
		return nil, err
	}
	by, err := w.compile(ctx, s.Book, proposed)
	if err != nil {
		return nil, err
	}
	if by == nil {
		return nil, fmt.Errorf("price book %s: %w", s.Book, ErrNoBook)
	}
	return &rerate.Judge{World: w, By: by, PriceUnpriced: s.PriceUnpriced}, nil
}

// correction is an attempt that costs something else.
type correction struct {
	*rerate.Attempt
	nanoUSD int64
}

// corrections judges a block, adds it to the tally, and returns what is to be stored.
func corrections(ctx context.Context, judge *rerate.Judge, tally *rerate.Tally, b block) (all []correction, err error) {
	for i := range b.attempts {
		a := &b.attempts[i]
		cost, why, err := judge.Cost(ctx, a)
		if err != nil {
			return nil, err
		}
		if tally.Add(a, cost, why) && !b.there[identityOf(a)] {
			all = append(all, correction{a, cost})
		}
	}
	return all, nil
}
