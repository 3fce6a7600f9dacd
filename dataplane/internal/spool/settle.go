package spool

import (
	"slices"
	"time"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	// resendAfter is how long an acknowledged batch may stay unsettled before it is
	// doubted; ingest calls a gap of that age an alarm.
	resendAfter = 10 * time.Minute
	// A closed boot is named in Tails for so long at least.
	toldFor  = time.Minute
	maxTails = 1000
)

// Tails names every boot that is not settled, oldest first, with the last number
// given out that is fsynced.
func (l *Log) Tails() []*agentv1.BootTail {
	l.mu.Lock()
	defer l.mu.Unlock()
	var tails []*agentv1.BootTail
	for _, b := range l.sortedBoots() {
		last := b.durable
		if b.closed {
			last = b.last()
		}
		if b.closed && last == 0 || len(tails) == maxTails-1 && b.name != l.boot {
			continue
		}
		tails = append(tails, &agentv1.BootTail{Boot: b.name, LastSeq: last, Closed: l.over(b), FormerAgentIds: l.former(b.name)})
	}
	return tails
}

// maxFormer agents of one boot are named.
const maxFormer = 10

// former are those who closed batches of a boot that are not settled, but for the agent
// that ships now.
func (l *Log) former(boot string) (agents []string) {
	for _, ref := range l.batches {
		if ref.Boot == boot && !l.own(ref.agent) && len(agents) < maxFormer && !slices.Contains(agents, ref.agent) {
			agents = append(agents, ref.agent)
		}
	}
	return agents
}

// ShipsAs says for which agent batches are closed from now on. Those of another agent,
// which had the folder before, go as that one closed them, and only what is settled of
// that one settles them: nobody else's signature is on those records.
func (l *Log) ShipsAs(agent string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.agent = agent
}

func (l *Log) shipper() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.agent
}

// own tells whether an agent is the one that ships now; empty: nobody said otherwise.
func (l *Log) own(agent string) bool { return agent == "" || agent == l.agent }

// Settle takes in what is safe in ClickHouse. Numbers that were in no batch are
// not believed: nobody can have them.
func (l *Log) Settle(ranges []*agentv1.SettledRange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	grew := false
	for _, r := range ranges {
		b, ok := l.boots[r.GetBoot()]
		if !ok {
			continue
		}
		for _, s := range l.closedBy(r.GetAgentId(), b).intersect(r.GetFirstSeq(), r.GetLastSeq()) {
			grew = grew || !b.settled.covers(s.First, s.Last)
			b.settled.add(s.First, s.Last)
		}
	}
	l.resendSkipped()
	if l.opts.Now().Sub(l.opened) > toldFor {
		l.forgetBoots()
	}
	if !grew {
		return
	}
	l.dropSettled()
	l.writeSettled()
	signal(l.dirty)
}

// closedBy are the numbers of a boot that are in batches of one agent.
func (l *Log) closedBy(agent string, b *bootState) (numbers spans) {
	for _, ref := range l.batches {
		if ref.Boot == b.name && (ref.agent == agent || l.own(ref.agent) && l.own(agent)) {
			numbers.add(ref.First, ref.Last)
		}
	}
	return numbers
}

// writeSettled keeps a restart from sending again what is settled. Losing it costs
// repeats, nothing else.
func (l *Log) writeSettled() {
	frame, err := encodeLedger(frameSettled, l.ledger())
	if err == nil {
		_, _, err = l.appendFreeing(frame)
	}
	if err != nil {
		l.opts.Logger.Warn("settled ranges are not written down", "error", err)
	}
}

func (l *Log) dropSettled() {
	kept := l.batches[:0]
	for _, ref := range l.batches {
		if !l.bootState(ref.Boot).settled.covers(ref.First, ref.Last) {
			kept = append(kept, ref)
		}
	}
	clear(l.batches[len(kept):])
	l.batches = kept
}

// resendSkipped queues again what the broker acknowledged and lost, or refused. Batches reach
// ingest in their order, so one that is old is lost where a later one is settled. Behind the
// newest there is none that could tell: it goes again by itself, and where it is settled then,
// those before it follow.
func (l *Log) resendSkipped() {
	for i, ref := range l.batches {
		old := ref.segment != nil && !ref.acked.IsZero() && l.opts.Now().Sub(ref.acked) > resendAfter
		if old && (i == len(l.batches)-1 || l.settledBeyond(ref)) {
			l.opts.Logger.Warn("a batch was acknowledged but never settled, or refused; it is sent again",
				"boot", ref.Boot, "first_seq", ref.First, "last_seq", ref.Last)
			ref.acked, ref.refused = time.Time{}, false
		}
	}
}

// settledBeyond tells whether anything is settled that was sent after a batch: of its boot, or
// of a later one. Names of boots begin with their number.
func (l *Log) settledBeyond(ref *batchRef) bool {
	for name, b := range l.boots {
		if name == ref.Boot && b.settled.last() > ref.Last || name > ref.Boot && len(b.settled) > 0 {
			return true
		}
	}
	return false
}

func (l *Log) forgetBoots() {
	held := map[string]bool{l.boot: true}
	for _, s := range l.segments {
		held[s.boot] = held[s.boot] || len(s.ends) > 0
		for _, b := range s.batches {
			held[b.Boot] = true
		}
	}
	for name, b := range l.boots {
		if !held[name] && b.unsettled() == 0 {
			delete(l.boots, name)
		}
	}
}
