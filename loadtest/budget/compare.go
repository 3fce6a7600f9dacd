package budget

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// balance of a budget and a subject in the end; nano-dollars, of all windows.
type balance struct {
	purse   *purse
	subject string
	// spent and held as the ledger has it, cost by the rows, charged by the providers.
	spent, held, overrun, cost, charged int64
	// most that was charged for one window.
	most int64
}

// compare holds the three books against each other, once all is delivered.
func (r *run) compare(ctx context.Context) error {
	reads, err := newAnalyst(r.world, r.tenant)
	if err != nil {
		return err
	}
	defer reads.conn.Close()
	for deadline := time.Now().Add(r.config.Rest); ; {
		if r.books, err = reads.read(ctx); err == nil {
			if r.balances, err = r.balance(ctx); err != nil {
				return err
			}
			if r.books.incomplete == 0 && len(r.differences()) == 0 {
				break
			}
		}
		if time.Now().After(deadline) {
			break
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("read the rows: %w", err)
	}
	if r.books.incomplete > 0 {
		r.findings.add("usage is not complete in time", "%d boots", r.books.incomplete)
	}
	for _, d := range r.differences() {
		r.findings.add("the books differ", "%s", d)
	}
	stranded, err := r.auditor.stranded(ctx)
	if err != nil {
		return err
	}
	for _, lease := range stranded {
		r.findings.add("leases hold something", "%s", lease)
	}
	for _, how := range r.world.endings() {
		if how != "" {
			r.findings.add("a program ended by itself", "%s", how)
		}
	}
	return nil
}

func (r *run) balance(ctx context.Context) (all []balance, err error) {
	lines, _, err := r.auditor.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range r.purses {
		of := map[string]*balance{}
		get := func(subject string) *balance {
			if of[subject] == nil {
				of[subject] = &balance{purse: p, subject: subject, charged: r.truth.total(p, subject), most: p.window.most(r.truth.of(p, subject))}
			}
			return of[subject]
		}
		for _, l := range lines {
			if l.quota == p.id {
				b := get(l.subject)
				b.spent, b.held, b.overrun = b.spent+l.spent, b.held+l.held, b.overrun+l.overrun
			}
		}
		for subject, cost := range r.books.cost(p) {
			get(subject).cost = cost
		}
		for _, subject := range slices.Sorted(maps.Keys(of)) {
			all = append(all, *of[subject])
		}
	}
	return all, nil
}

// differences are what is not as it must be in the end.
func (r *run) differences() (all []string) {
	for _, b := range r.balances {
		if why := b.wrong(r.forgiven(b.purse)); why != "" {
			all = append(all, fmt.Sprintf("%s %q: %s", b.purse.name, b.subject, why))
		}
	}
	return all
}

// forgiven is what a restore may have made the ledger lose of a budget with windows: those
// that ended between the backup and the restore were told and forgotten, and no agent tells
// of them again. It bounds them by what providers charged for requests of that time.
func (r *run) forgiven(p *purse) (nano int64) {
	if p.window.forEver() || r.faults.restored.IsZero() {
		return 0
	}
	from := r.faults.copied.Add(-p.window.rolling/60 - callerWaits)
	for _, s := range r.truth.subjects(p) {
		for _, c := range r.truth.of(p, s) {
			if c.begun.After(from) && c.begun.Before(r.faults.told) {
				nano += c.nano
			}
		}
	}
	return nano
}

// wrong says what; empty: nothing. forgiven is what the ledger may lack.
func (b *balance) wrong(forgiven int64) string {
	var all []string
	say := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	exact := forgiven == 0
	say(b.held != 0, "%d are held", b.held)
	say(b.overrun != 0 && exact, "%d are overrun", b.overrun)
	say(b.spent != b.cost && exact, "%d are spent, the rows cost %d", b.spent, b.cost)
	say(b.spent > b.cost, "%d are spent, the rows cost only %d", b.spent, b.cost)
	say(b.charged > b.cost, "providers charged %d, the rows cost only %d", b.charged, b.cost)
	say(b.most > b.purse.most()+forgiven, "providers charged %d for one window of %d", b.most, b.purse.most())
	return strings.Join(all, "; ")
}
