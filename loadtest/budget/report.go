package budget

import (
	"fmt"
	"maps"
	"slices"
)

// report is what the run held, a line at a time.
func (r *run) report() (lines []string) {
	sayf := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	sayf("callers: %s", r.callers.tally())
	sayf("faults: %s", r.faults.tally())
	sayf("audit: %d snapshots of the ledger; %d of them after the restore, before all agents had told; up to %d nano-dollars more than a limit were shown until then, and in windows of before",
		r.auditor.snapshots.Load(), r.auditor.unheard.Load(), r.auditor.beyond.Load())
	sayf("rows: %d attempts, %d without a cost", r.books.attempts, r.books.unpriced)
	r.waits(sayf)
	sayf("%-18s %-8s %-14s %14s %14s %14s %14s %14s %7s", "budget", "subject", "window", "limit", "spent", "rows cost", "charged", "in one window", "used")
	for _, b := range r.balances {
		limit := b.purse.most()
		of := b.spent
		if !b.purse.window.forEver() {
			of = b.most
		}
		sayf("%-18s %-8s %-14s %14d %14d %14d %14d %14d %6.2f%%", b.purse.name, b.subject, b.purse.window, limit, b.spent, b.cost, b.charged, b.most, 100*float64(of)/float64(limit))
		if forgiven := r.forgiven(b.purse); forgiven > 0 && b.spent != b.cost {
			sayf("    the restore lost %d, of windows that were over; it may have lost %d", b.cost-b.spent, forgiven)
		}
	}
	if u := r.usefulness; u.asked > 0 {
		sayf("the last percent (%d nano-dollars, %d of the dearest small request): %d asked, %d served, %d refused (%d while each agent could have had one) and %d answered 503 though it fits, the last after %s; %d left, %.3f%% of the budget",
			u.limit/100, u.limit/100/u.worst, u.asked, u.served, u.refused, u.early, u.unavailable, u.firstAfter.Round(1e6), u.left, 100*float64(u.left)/float64(u.limit))
	}
	return lines
}

// waits are of requests that waited for a lease, as agents count them.
func (r *run) waits(sayf func(string, ...any)) {
	for _, answered := range []string{"yes", "no"} {
		at := func(bound string) float64 {
			return r.meters.sum(fmt.Sprintf(`wait_seconds_bucket{answered=%q,le=%q}`, answered, bound))
		}
		all := r.meters.sum(fmt.Sprintf(`wait_seconds_count{answered=%q}`, answered))
		sayf("waited for a lease, in time %s: %.0f requests; %.0f up to 5 ms, %.0f up to 25 ms, %.0f up to 50 ms, %.0f up to 100 ms, %.0f longer",
			answered, all, at("0.005"), at("0.025")-at("0.005"), at("0.05")-at("0.025"), at("0.1")-at("0.05"), all-at("0.1"))
	}
	reasons := map[string]float64{}
	for _, reason := range []string{"exhausted", "held", "restored", "unreachable", "crowded"} {
		reasons[reason] = r.meters.sum(fmt.Sprintf(`refusals_total{reason=%q}`, reason))
	}
	line := "agents refused"
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		line += fmt.Sprintf(" %.0f %s", reasons[reason], reason)
	}
	sayf("%s; called the ledger %.0f times with and %.0f without an answer, %.0f ms each on average", line,
		r.meters.sum(`calls_total{answered="yes"}`), r.meters.sum(`calls_total{answered="no"}`), 1000*r.meters.sum("call_seconds_sum")/max(1, r.meters.sum("call_seconds_count")))
}
