package spool

import (
	"testing"

	"github.com/google/uuid"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	bootOne = "00000001-0000000000000001"
	bootTwo = "00000002-0000000000000002"
)

// reading is segments as they are read, one step after the other.
type reading struct {
	t *testing.T
	recharge
	quota uuid.UUID
}

func (r *reading) checkpoint(boot string, all ledger) {
	r.t.Helper()
	if err := r.recharge.checkpoint(boot, all); err != nil {
		r.t.Error(err)
	}
}

func (r *reading) ended(boot string, amount int64) {
	r.end(boot, ended{id: 1, record: &usagev1.UsageRecord{Charges: []*usagev1.Charge{{QuotaId: r.quota[:], Window: "w", Amount: amount}}}})
}

func (r *reading) totals(boot string, amount int64) []ledgerCharges {
	return []ledgerCharges{{Boot: boot, Of: []ledgerCharge{{Quota: r.quota, Window: "w", Amount: amount}}}}
}

func (r *reading) expect(boot string, amount int64, short string) {
	r.t.Helper()
	c := r.charges()
	if got := c.totals[charged{boot, r.quota, "", "w"}]; got != amount || c.short != short {
		r.t.Errorf("%d, short: %q; want %d, %q", got, c.short, amount, short)
	}
}

func TestRecharge(t *testing.T) {
	for name, read := range map[string]func(r *reading){
		"a_head_has_all_before_it": func(r *reading) {
			r.checkpoint(bootOne, ledger{Charges: []ledgerCharges{}})
			r.ended(bootOne, 5)
			r.checkpoint(bootOne, ledger{Charges: []ledgerCharges{}, Parts: 1, Starts: 1})
			r.expect(bootOne, 5, "") // it is not whole
			r.checkpoint(bootOne, ledger{Part: true, Charges: r.totals(bootOne, 9)})
			r.expect(bootOne, 5, "")
			r.start()
			r.ended(bootOne, 1)
			r.expect(bootOne, 10, "")
		},
		"a_head_makes_good_what_was_lost_before_it": func(r *reading) {
			r.checkpoint(bootOne, ledger{Charges: []ledgerCharges{}})
			r.lose(bootOne)
			r.expect(bootOne, 0, bootOne)
			r.checkpoint(bootOne, ledger{Charges: []ledgerCharges{}, Parts: 1})
			r.checkpoint(bootOne, ledger{Part: true, Charges: r.totals(bootOne, 9)})
			r.expect(bootOne, 9, "")
			r.lose(bootOne)
			r.checkpoint(bootTwo, ledger{Charges: []ledgerCharges{}}) // it may not have had what was torn
			r.expect(bootOne, 0, bootOne)
		},
		"damage_in_a_head_makes_nothing_good": func(r *reading) {
			r.checkpoint(bootOne, ledger{Charges: []ledgerCharges{}})
			r.ended(bootOne, 5)
			r.checkpoint(bootOne, ledger{Charges: []ledgerCharges{}, Parts: 2})
			r.checkpoint(bootOne, ledger{Part: true, Charges: r.totals(bootOne, 9)})
			r.lose(bootOne)
			r.checkpoint(bootOne, ledger{Part: true, Charges: r.totals(bootOne, 9)})
			r.ended(bootOne, 1)
			r.expect(bootOne, 6, bootOne)
		},
		"heads_hand_on_that_something_is_lost": func(r *reading) {
			r.checkpoint(bootTwo, ledger{Charges: []ledgerCharges{}, Short: bootOne})
			r.expect(bootTwo, 0, bootOne)
		},
		"a_program_that_kept_none_had_no_leases": func(r *reading) {
			r.checkpoint(bootOne, ledger{})
			r.end(bootOne, ended{id: 1, body: []byte("no record")})
			r.expect(bootOne, 0, "")
			r.checkpoint(bootTwo, ledger{Charges: []ledgerCharges{}})
			r.ended(bootTwo, 3)
			r.expect(bootTwo, 3, "")
		},
		"unless_an_earlier_start_had_some": func(r *reading) {
			r.checkpoint(bootOne, ledger{Charges: []ledgerCharges{}})
			r.ended(bootOne, 3)
			r.checkpoint(bootTwo, ledger{})
			r.expect(bootOne, 3, bootTwo)
		},
		"a_record_that_can_not_be_read": func(r *reading) {
			r.checkpoint(bootOne, ledger{Charges: []ledgerCharges{}})
			r.end(bootOne, ended{id: 1, body: []byte("no record")})
			r.expect(bootOne, 0, bootOne)
		},
	} {
		t.Run(name, func(t *testing.T) { read(&reading{t: t, quota: uuid.New()}) })
	}
}
