package chaos

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// finding is one thing that is not as it must be.
type finding struct {
	check string
	text  string
}

// shown are findings of one check that are told; the others are counted.
const shown = 10

// summarize orders findings by their check.
func summarize(found []finding) (lines []string) {
	by := map[string][]string{}
	var checks []string
	for _, f := range found {
		if by[f.check] == nil {
			checks = append(checks, f.check)
		}
		by[f.check] = append(by[f.check], f.text)
	}
	for _, check := range checks {
		lines = append(lines, fmt.Sprintf("%s: %d times", check, len(by[check])))
		for _, text := range by[check][:min(shown, len(by[check]))] {
			lines = append(lines, "    "+text)
		}
		if more := len(by[check]) - shown; more > 0 {
			lines = append(lines, fmt.Sprintf("    and %d more", more))
		}
	}
	return lines
}

// judge holds the books against what callers saw and the provider billed. full says when
// agents had no room to record.
func judge(asks []*ask, bills func(marker string) bill, b *books, full spans) (found []finding) {
	say := func(check, format string, args ...any) {
		found = append(found, finding{check, fmt.Sprintf(format, args...)})
	}
	by := map[string][]row{}
	for _, r := range b.rows {
		by[r.run] = append(by[r.run], r)
	}
	for _, a := range asks {
		a.judge(bills(a.marker), by[a.marker], full.meet(a.agent, a.begun, a.ended), say)
		delete(by, a.marker)
	}
	for _, rows := range by {
		for _, r := range rows {
			say("a record of a request that nobody sent", "run %q request %s, %s", r.run, r.request, r.where())
		}
	}
	b.judgeBoots(say)
	b.judgeSpend(say)
	slices.SortStableFunc(found, func(x, y finding) int { return strings.Compare(x.check, y.check) })
	return found
}

type says func(check, format string, args ...any)

// judge holds one request's records against it. crowded: its agent's disk was full.
func (a *ask) judge(billed bill, rows []row, crowded bool, say says) {
	switch {
	case len(rows) > 1:
		for _, r := range rows {
			say("a request has several records", "%s: request %s, %s", a, r.request, r.where())
		}
	case len(rows) == 1:
		a.judgeRow(billed, rows[0], crowded, say)
	case billed.asked > 0:
		say("a request that reached the provider has no record", "%s: %d attempts came there", a, billed.asked)
	case a.mustBeThere() && !crowded:
		say("a request that was answered has no record", "%s", a)
	}
}

// mustBeThere: it was answered, and not with a reason for which nothing is recorded.
func (a *ask) mustBeThere() bool { return a.id != "" && !a.badKey && a.code == "" }

func (a *ask) judgeRow(billed bill, r row, crowded bool, say says) {
	if a.badKey {
		say("a request without a valid key has a record", "%s: %s", a, r.where())
	}
	if a.id != "" && a.id != r.request {
		say("a record has another id than the answer", "%s: request %s, %s", a, r.request, r.where())
	}
	if a.tenant != r.tenant {
		say("a record is another organization's", "%s: it is %s's, %s", a, r.tenant.name, r.where())
	}
	if a.whole && !crowded && r.outcome != "ok" {
		say("a good answer is recorded as another", "%s: outcome %s, %s", a, r.outcome, r.where())
	}
	a.judgeCost(billed, r, crowded, say)
}

func (a *ask) judgeCost(billed bill, r row, crowded bool, say says) {
	switch {
	case !r.priced:
		say("a cost is not known", "%s: %s", a, r.where())
	case r.estimated && r.nano < billed.nano:
		say("an estimate is below what was billed", "%s: %d nano-dollars recorded, %d billed, %s", a, r.nano, billed.nano, r.where())
	case !r.estimated && r.nano != billed.nano:
		say("a cost is not what was billed", "%s: %d nano-dollars recorded, %d billed, %s", a, r.nano, billed.nano, r.where())
	case r.estimated && a.whole && a.clean() && !crowded:
		say("a cost that the provider told is estimated", "%s: %s", a, r.where())
	}
	if told, ok := nanoOf(a.cost); ok && !crowded && told != r.nano {
		say("the answer told another cost than the record", "%s: %d nano-dollars told, %d recorded, %s", a, told, r.nano, r.where())
	}
	if a.whole && int(r.attempts) < billed.asked {
		say("an attempt is not recorded", "%s: %d of %d, %s", a, r.attempts, billed.asked, r.where())
	}
}

// nanoOf reads dollars.
func nanoOf(dollars string) (int64, bool) {
	v, ok := new(big.Rat).SetString(dollars)
	if !ok || dollars == "" {
		return 0, false
	}
	v.Mul(v, big.NewRat(1e9, 1))
	return v.Num().Int64(), v.IsInt()
}

func (a *ask) String() string {
	how := "unstreamed"
	if a.streamed {
		how = "streamed"
	}
	return fmt.Sprintf("%s (%s, %s of %s, %s to %s at %s: status %d, id %q, whole %t)", a.marker, a.tenant.name, a.shape.name, a.route, how, a.agent,
		a.begun.Format("15:04:05.000"), a.status, a.id, a.whole)
}

// judgeBoots: completeness is right about every start of an agent, and says that all is there.
func (b *books) judgeBoots(say says) {
	for _, o := range b.boots {
		where := fmt.Sprintf("%s agent %s boot %s: last_seq %d, settled %d, missing_tail %d, holes %d, doubled_ranges %d, rows %d, doubled_rows %d, dead_lettered %d, of_revoked_agent %d, closed %t",
			o.tenant.name, o.agent, o.boot, o.last, o.settled, o.missing, o.holes, o.doubled, o.rows, o.doubledRows, o.deadLettered, o.ofRevoked, o.closed)
		switch {
		case !o.complete, o.deadLettered > 0, o.ofRevoked > 0:
			say("completeness shows a boot that is not complete", "%s", where)
		case !o.closed && o.last > 0:
			say("a boot whose agent is gone is still open", "%s", where)
		case o.numbered != o.last || o.dense != o.last || o.highest != o.last || o.rows != o.last:
			say("completeness says complete, and the rows say otherwise", "%s; %d rows, %d numbers, the highest %d", where, o.numbered, o.dense, o.highest)
		}
	}
}

// judgeSpend: whichever way costs are added up, they are the same.
func (b *books) judgeSpend(say says) {
	for _, s := range b.spends {
		if s.byDay != s.byRow || s.byAttempt != s.byRow || s.requestsByDay != s.requestsByRow || s.attemptsByDay != s.attemptsByRow || s.attemptsByAttempt != s.attemptsByRow {
			say("sums differ", "%s: nano-dollars by day %d, by request %d, by attempt %d; requests by day %d, by row %d; attempts by day %d, by request %d, by attempt %d",
				s.tenant.name, s.byDay, s.byRow, s.byAttempt, s.requestsByDay, s.requestsByRow, s.attemptsByDay, s.attemptsByRow, s.attemptsByAttempt)
		}
	}
}
