package rerating_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rerate"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

var ofTally = []cmp.Option{cmpopts.IgnoreUnexported(rerate.Tally{}), cmpopts.EquateEmpty()}

// "m" cost 1 $ and 4 $ a million tokens, and should have cost 2 $ and 3 $.
func TestRerate(t *testing.T) {
	in := install(t)
	n, other := in.tenant(t), in.tenant(t)
	// 1000 of input at 1000 nano-dollars a thousand, 500 of output at 4000: 1000 + 2000.
	first := n.stored(t, request{at: noon, labels: map[string]string{"team": "search"}, attempts: []attempt{{input: 1000, output: 500, nanoUSD: 3000_000}}})
	// Two attempts, of which the second is of a model whose price stays.
	second := n.stored(t, request{at: noon.AddDate(0, -2, 0), attempts: []attempt{
		{input: 1_000_000, nanoUSD: 1_000_000_000}, {model: "kept", input: 10, nanoUSD: 70, unpriced: true},
	}})
	// A shadow costs, too; 7 tokens of input come to 7 nano-dollars for a millionth of 1 $.
	n.stored(t, request{at: noon, kind: "shadow", attempts: []attempt{{input: 7, nanoUSD: 7_000}}})
	theirs := other.stored(t, request{at: noon, attempts: []attempt{{input: 1000, output: 500, nanoUSD: 3000_000}}})

	n.reprice(t, 2_000_000, 3_000_000)
	other.reprice(t, 9_000_000, 9_000_000)
	preview, err := n.preview.Differences(t.Context(), n.id, n.of(), nil)
	if err != nil {
		t.Fatal(err)
	}
	run := n.rerated(t, n.of())

	group := rerate.Group{ProjectID: n.project, ProviderID: n.provider, Provider: "openai", Model: "m"}
	kept := group
	kept.Model = "kept"
	want := rerate.Tally{
		Total: rerate.Difference{
			Requests: 2, Attempts: 4, Corrected: 3, LeftOut: map[rerate.Reason]int64{rerate.NoPrice: 1},
			// 3000 µ$ + 1 $ + 7 µ$; 1000 · 2 + 500 · 3 = 3500 µ$, 2 $, 14 µ$.
			OldNano: 3_000_000 + 1_000_000_000 + 7_000, NewNano: 3_500_000 + 2_000_000_000 + 14_000,
		},
		Groups: []*rerate.GroupDifference{
			{Group: kept, Difference: rerate.Difference{Requests: 1, Attempts: 1, LeftOut: map[rerate.Reason]int64{rerate.NoPrice: 1}}},
			{Group: group, Difference: rerate.Difference{
				Requests: 1, Attempts: 3, Corrected: 3, OldNano: 1_003_007_000, NewNano: 2_003_514_000,
			}},
		},
	}
	if diff := cmp.Diff(want, run.Tally, ofTally...); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(preview, run.Tally, ofTally...); diff != "" {
		t.Errorf("the dry run said something else: %s", diff)
	}

	t.Run("views", func(t *testing.T) {
		n.is(t, "cost_usd, corrected_cost_usd, corrected_priced_cost_usd", "requests WHERE request_id = '"+first.String()+"'", "0.003|0.0035|0.0035")
		n.is(t, "cost_usd, priced_cost_usd, corrected_cost_usd, corrected_priced_cost_usd", "records WHERE request_id = '"+second.String()+"'", "NULL|1|NULL|2")
		n.is(t, "attempt, cost_usd, corrected_cost_usd", "attempts WHERE model = 'm' AND request_id = '"+second.String()+"'", "1|1|2")
		n.is(t, "attempt, cost_usd, corrected_cost_usd", "attempts WHERE model = 'kept' AND request_id = '"+second.String()+"'", "2|NULL|NULL")
		n.is(t, "sum(cost_usd), sum(corrected_cost_usd)", "attempts", "1.003007|2.003514")
		n.is(t, "sum(attempts), sum(requests), sum(cost_usd), sum(corrected_cost_usd), sum(unpriced_attempts), sum(corrected_unpriced_attempts)", "spend_daily", "4|2|1.003007|2.003514|1|1")
		n.is(t, "sum(cost_usd), sum(corrected_cost_usd)", "spend_daily WHERE day = '2026-11-20' AND kind = 'request'", "0.003|0.0035")
		n.is(t, "sum(cost_usd), sum(corrected_cost_usd)", "spend_by_model WHERE model = 'm' AND kind = 'shadow'", "0.000007|0.000014")
		n.is(t, "value, cost_usd, corrected_cost_usd", "spend_by_label WHERE label = 'team'", "search|0.003|0.0035")
		n.is(t, "count(), sum(difference_usd), uniq(rerate_id), any(rerate_id), any(price_book_version)", "corrections",
			"3|1.000507|1|"+run.ID.String()+"|builtin-2026-07.2+o3")
	})
	t.Run("others_see_nothing_of_it", func(t *testing.T) {
		other.is(t, "cost_usd, corrected_cost_usd", "requests WHERE request_id = '"+theirs.String()+"'", "0.003|0.003")
		other.is(t, "count()", "corrections", "0")
		other.is(t, "sum(corrected_cost_usd)", "spend_daily", "0.003")
	})
	t.Run("twice_is_nothing", func(t *testing.T) {
		s := n.of()
		s.Book.Overrides = 3 // the log went on since
		again := n.rerated(t, s)
		total := again.Tally.Total
		if total.Corrected != 0 || total.OldNano != run.Tally.Total.NewNano || total.NewNano != total.OldNano {
			t.Errorf("%+v", total)
		}
		n.is(t, "count()", "corrections", "3")
	})
	t.Run("back", func(t *testing.T) {
		s := n.of()
		s.Book.Overrides = 2 // as it was
		if back := n.rerated(t, s).Tally.Total; back.Corrected != 3 || back.NewNano != run.Tally.Total.OldNano || back.OldNano != run.Tally.Total.NewNano {
			t.Errorf("%+v", back)
		}
		n.is(t, "sum(cost_usd), sum(corrected_cost_usd)", "spend_by_model", "1.003007|1.003007")
		n.is(t, "count(), sum(difference_usd)", "corrections", "6|0")
	})
}

// What is stored after the moment that a re-rate covers is the next one's.
func TestRerate_late_rows(t *testing.T) {
	n := install(t).tenant(t)
	n.stored(t, request{at: noon, attempts: []attempt{{input: 1000, nanoUSD: 1000_000}}})
	n.stored(t, request{at: noon, late: true, attempts: []attempt{{input: 3000, nanoUSD: 3000_000}}})
	n.reprice(t, 2_000_000, 4_000_000)
	s := n.of()
	if total := n.rerated(t, s).Tally.Total; total.Attempts != 1 || total.NewNano != 2000_000 {
		t.Errorf("%+v", total)
	}
	n.is(t, "sum(cost_usd), sum(corrected_cost_usd)", "spend_daily", "0.004|0.005")
	s.CoveredUntil = covered.Add(time.Hour)
	if total := n.rerated(t, s).Tally.Total; total.Attempts != 2 || total.Corrected != 1 || total.OldNano != 5000_000 || total.NewNano != 8000_000 {
		t.Errorf("%+v", total)
	}
	n.is(t, "sum(cost_usd), sum(corrected_cost_usd)", "spend_daily", "0.004|0.008")
}

// What rows don't keep is never guessed; each attempt is counted with why.
func TestRerate_leaves_out(t *testing.T) {
	n := install(t).tenant(t)
	n.append(t, uuid.New(), overrideOf("imaged", func(r *rates) { r.InputImage = one(5_000_000) }))
	right := attempt{input: 1000, nanoUSD: 1000_000}
	for _, c := range []struct {
		a       attempt
		surface string
	}{
		{a: right},
		{a: attempt{source: "none"}},
		{a: attempt{input: 1000, nanoUSD: 9_000_000, source: "estimated"}},
		{a: attempt{unpriced: true, source: "unspecified"}},
		{a: attempt{input: 1000, unpriced: true}},
		{a: attempt{input: 1000, nanoUSD: 5, estimated: true}},
		{a: attempt{input: 1000, nanoUSD: 1000_000, book: "builtin-1999-01"}},
		{a: attempt{input: 1000, nanoUSD: 1000_000, book: "builtin-2026-07.2+o999999"}},
		{a: attempt{input: 1000, nanoUSD: 1000_001}},
		{a: attempt{input: 1000, nanoUSD: 1000_000, tier: "other"}},
		{a: attempt{input: 1000, nanoUSD: 1000_000, model: "gone"}},
		{a: attempt{input: 1000, nanoUSD: 1000_000, model: "imaged"}},
		{a: attempt{input: 1000, nanoUSD: 1000_000, provider: uuid.New()}},
	} {
		n.stored(t, request{at: noon, surface: c.surface, attempts: []attempt{c.a}})
	}
	n.exec(t, `INSERT INTO usage_event (organization_id, request_id, boot, seq, started_at, kind, lost_attempts, cost_usd, priced_cost_usd, lease_until)
		SELECT '`+n.id.String()+`', generateUUIDv4(), 'boot', 99, '2026-11-20 12:00:00', 'tombstone', 8, 1, 1, toDateTime('`+covered.Add(-time.Minute).Format(time.DateTime)+`', 'UTC')`)
	n.reprice(t, 2_000_000, 4_000_000)
	total := n.rerated(t, n.of()).Tally.Total
	want := rerate.Difference{
		Requests: 13, Attempts: 13, Corrected: 1, OldNano: 9_000_000 + 8*1000_000 + 6, NewNano: 9_000_000 + 9*1000_000 + 6,
		LeftOut: map[rerate.Reason]int64{
			rerate.Estimated: 1, rerate.UsageUnknown: 1, rerate.WasUnpriced: 1, rerate.WasEstimated: 1, rerate.BookUnknown: 2,
			rerate.NotReproduced: 2, rerate.ServiceTier: 1, rerate.NoPrice: 1, rerate.Images: 1, rerate.Lost: 8,
		},
	}
	if diff := cmp.Diff(want, total); diff != "" {
		t.Error(diff)
	}

	// On the word of who asks for it, what had no price of its own gets one.
	s := n.of()
	s.PriceUnpriced, s.Book.Overrides = true, s.Book.Overrides-1
	total = n.rerated(t, s).Tally.Total
	if total.Corrected != 2 || total.NewNano != want.NewNano+2000_000+2000_000-5 || total.LeftOut[rerate.WasUnpriced]+total.LeftOut[rerate.WasEstimated] != 0 {
		t.Errorf("%+v", total)
	}
	n.is(t, "sum(unpriced_attempts), sum(corrected_unpriced_attempts)", "spend_by_model", "2|1")
	n.is(t, "countIf(isNull(cost_usd)), countIf(isNull(corrected_cost_usd))", "requests", "2|1")
}

// One project, provider or model at a time.
func TestRerate_restricted(t *testing.T) {
	n := install(t).tenant(t)
	n.append(t, uuid.New(), overrideOf("m2", func(r *rates) { r.Input = one(1_000_000) }))
	elsewhere := uuid.New()
	n.stored(t, request{at: noon, attempts: []attempt{{input: 1000, nanoUSD: 1000_000}, {model: "m2", input: 1000, nanoUSD: 1000_000}}})
	n.stored(t, request{at: noon, project: elsewhere, attempts: []attempt{{input: 1000, nanoUSD: 1000_000}}})
	n.reprice(t, 2_000_000, 4_000_000)
	for _, restrict := range []func(*rerate.Settings){
		func(s *rerate.Settings) { s.Model, s.ProjectID = "m", n.project },
		func(s *rerate.Settings) {
			s.ProviderID, s.From = n.provider, noon
			s.Until = noon.Add(time.Microsecond)
			s.ProjectID = elsewhere
		},
	} {
		s := n.of()
		if restrict(&s); n.rerated(t, s).Tally.Total.Corrected != 1 {
			t.Errorf("%+v", s)
		}
	}
	s := n.of()
	s.Until = noon
	if total := n.rerated(t, s).Tally.Total; total.Attempts != 0 {
		t.Errorf("%+v", total)
	}
	n.is(t, "sum(cost_usd), sum(corrected_cost_usd)", "spend_daily", "0.003|0.005")
}

// An organization has two dry runs at a time, whatever others do.
func TestPreview_at_once(t *testing.T) {
	in := install(t)
	n, other := in.tenant(t), in.tenant(t)
	ask := func(of *tenant, want string) {
		t.Helper()
		_, err := of.preview.Differences(t.Context(), of.id, of.of(), nil)
		var refused *fault.Error
		if errors.As(err, &refused); want == "" && err != nil || want != "" && (refused == nil || refused.Reason != want || !fault.Is(err, fault.Exhausted)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for range 3 { // each leaves
		ask(n, "")
	}
	first, free := n.preview.Enter(n.id)
	last, both := n.preview.Enter(n.id)
	if !free || !both {
		t.Fatal("places are taken that were left")
	}
	ask(n, "too_many_dry_runs")
	ask(other, "")
	first()
	ask(n, "")
	last()
}
