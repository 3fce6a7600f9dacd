package spool

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/google/uuid"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// charged is whose total it is: of one boot, one window of one quota and subject.
type charged struct {
	boot            string
	quota           [16]byte
	subject, window string
}

// charges are what requests of each boot took of quotas, in the quotas' units, as the records
// of those that ended say.
type charges struct {
	totals map[charged]int64
	// short is the newest boot of which some may be missing; empty: of none.
	short string
}

// add takes in the record of a request that ended in a boot, or was torn in an earlier one.
func (c *charges) add(boot string, record *usagev1.UsageRecord) {
	if from := record.GetTornFrom(); from != nil {
		boot = from.GetBoot()
	}
	for _, charge := range record.GetCharges() {
		if key, ok := chargedOf(boot, charge); ok {
			c.plus(key, charge.GetAmount())
		}
	}
}

func chargedOf(boot string, c *usagev1.Charge) (key charged, ok bool) {
	if len(c.GetQuotaId()) != len(key.quota) || c.GetAmount() <= 0 {
		return key, false
	}
	return charged{boot, [16]byte(c.GetQuotaId()), c.GetSubject(), c.GetWindow()}, true
}

func (c *charges) plus(key charged, amount int64) {
	if c.totals == nil {
		c.totals = map[charged]int64{}
	}
	if sum := c.totals[key] + amount; sum >= c.totals[key] { // else there is nothing to count to
		c.totals[key] = sum
	}
}

// missing notes that some of a boot's are lost.
func (c *charges) missing(boot string) { c.short = max(c.short, boot) }

// Charged tells what requests of earlier boots took of quotas, as holdings in which nothing
// more is spent: all but what was forgotten. A request that was torn took what its start, or
// the last Again, says. Holdings of boots of which something is lost are not closed: more may
// have been spent. whole: there is no such boot.
func (l *Log) Charged() (totals []*agentv1.Holding, whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, amount := range l.charges.totals {
		if key.boot == l.boot {
			continue
		}
		totals = append(totals, &agentv1.Holding{
			QuotaId: uuid.UUID(key.quota).String(), Subject: key.subject, Window: key.window, Boot: key.boot,
			Spent: amount, Closed: key.boot > l.charges.short,
		})
	}
	slices.SortFunc(totals, func(a, b *agentv1.Holding) int {
		return cmp.Or(cmp.Compare(a.GetBoot(), b.GetBoot()), cmp.Compare(a.GetQuotaId(), b.GetQuotaId()),
			cmp.Compare(a.GetSubject(), b.GetSubject()), cmp.Compare(a.GetWindow(), b.GetWindow()))
	})
	return totals, l.charges.short == ""
}

// ForgetCharges lets go of totals that the ledger of quotas has: of windows in which nothing
// more is spent. It lasts once the next segment begins; a restart before that tells them
// again, which changes nothing.
func (l *Log) ForgetCharges(totals []*agentv1.Holding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range totals {
		if id, err := uuid.Parse(h.GetQuotaId()); err == nil {
			delete(l.charges.totals, charged{cmp.Or(h.GetBoot(), l.boot), id, h.GetSubject(), h.GetWindow()})
		}
	}
}

// RecallCharges notes what requests of this boot took at least of windows whose totals were
// forgotten, and in which more is spent now. When it returns, it survives kill -9. Errors:
// ErrFull, ErrClosed, of the disk.
func (l *Log) RecallCharges(totals []*agentv1.Holding) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := ledgerCharges{Boot: l.boot}
	for _, h := range totals {
		id, err := uuid.Parse(h.GetQuotaId())
		if err != nil {
			return fmt.Errorf("recall charges: %w", err)
		}
		of.Of = append(of.Of, ledgerCharge{id, h.GetSubject(), h.GetWindow(), h.GetSpent()})
	}
	frame, err := encodeLedger(frameSettled, ledger{Charges: []ledgerCharges{of}})
	if err != nil {
		return err
	}
	if _, _, err := l.append(frame); err != nil {
		return fmt.Errorf("recall charges: %w", err)
	}
	l.charges.recall(of)
	return nil
}

// recall makes totals no less than they were.
func (c *charges) recall(of ledgerCharges) {
	for _, one := range of.Of {
		key := charged{of.Boot, one.Quota, one.Subject, one.Window}
		if more := one.Amount - c.totals[key]; more > 0 {
			c.plus(key, more)
		}
	}
}

const (
	// chargeRoom is what a total takes in the head of a segment, bytes, roughly.
	chargeRoom = 160
	// maxChargeBytes bounds the totals of one frame.
	maxChargeBytes = 256 << 10
)

// ledgerCharges are totals in a checkpoint.
type ledgerCharges struct {
	Boot string         `json:"boot"`
	Of   []ledgerCharge `json:"of"`
}

type ledgerCharge struct {
	Quota   uuid.UUID `json:"quota"`
	Subject string    `json:"subject,omitempty"`
	Window  string    `json:"window,omitempty"`
	Amount  int64     `json:"amount"`
}

// parts are the totals as frames have room for them.
func (c *charges) parts() (parts []ledger) {
	byBoot := map[string][]ledgerCharge{}
	for key, amount := range c.totals {
		byBoot[key.boot] = append(byBoot[key.boot], ledgerCharge{key.quota, key.subject, key.window, amount})
	}
	bytes := 0
	for boot, all := range byBoot {
		part := ledgerCharges{Boot: boot}
		for _, one := range all {
			part.Of = append(part.Of, one)
			if bytes += chargeRoom + 6*(len(one.Subject)+len(one.Window)); bytes > maxChargeBytes {
				parts = append(parts, ledger{Part: true, Charges: []ledgerCharges{part}})
				part, bytes = ledgerCharges{Boot: boot}, 0
			}
		}
		if len(part.Of) > 0 {
			parts = append(parts, ledger{Part: true, Charges: []ledgerCharges{part}})
			bytes = 0
		}
	}
	return parts
}

// learnCharges takes in the totals of one frame.
func (c *charges) learn(all []ledgerCharges) error {
	for _, of := range all {
		if _, err := bootCounter(of.Boot); err != nil {
			return fmt.Errorf("decode charges: %w", err)
		}
		for _, one := range of.Of {
			if one.Amount < 0 {
				return fmt.Errorf("decode charges: %d of quota %s", one.Amount, one.Quota)
			}
			c.plus(charged{of.Boot, one.Quota, one.Subject, one.Window}, one.Amount)
		}
	}
	return nil
}
