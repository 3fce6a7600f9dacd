package spool

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// ledger is the payload of a checkpoint and of a settlement. A checkpoint stands
// first in a segment, followed by the starts that are open there; segments before
// it are then needed only for records that are not settled.
type ledger struct {
	Boots []ledgerBoot `json:"boots"`
	// What requests took of quotas, of checkpoints only: null where nobody kept it. It goes on
	// in so many checkpoints behind this one, each a part; behind them are so many starts.
	Charges []ledgerCharges `json:"charges"`
	Short   string          `json:"short,omitempty"`
	Parts   int             `json:"parts,omitempty"`
	Starts  int             `json:"starts,omitempty"`
	Part    bool            `json:"part,omitempty"`
}

type ledgerBoot struct {
	Boot    string `json:"boot"`
	Last    int64  `json:"last"`
	Settled spans  `json:"settled,omitempty"`
}

// maxHeadWrite bounds one write of a segment's head.
const maxHeadWrite = 4 << 20

func (l *Log) ledger() ledger {
	var all ledger
	for _, b := range l.sortedBoots() {
		if b.last() == 0 {
			continue
		}
		all.Boots = append(all.Boots, ledgerBoot{Boot: b.name, Last: b.last(), Settled: b.settled})
	}
	return all
}

func (l *Log) sortedBoots() []*bootState {
	all := make([]*bootState, 0, len(l.boots))
	for _, b := range l.boots {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *bootState) int { return cmp.Compare(a.name, b.name) })
	return all
}

func (l *Log) learn(payload []byte) (all ledger, err error) {
	if err := json.Unmarshal(payload, &all); err != nil {
		return all, fmt.Errorf("decode ledger: %w", err)
	}
	for _, told := range all.Boots {
		if _, err := bootCounter(told.Boot); err != nil {
			return all, fmt.Errorf("decode ledger: %w", err)
		}
		b := l.bootState(told.Boot)
		b.told = max(b.told, told.Last)
		for _, s := range told.Settled {
			b.settled.add(s.First, s.Last)
			b.batched.add(s.First, s.Last)
		}
	}
	return all, nil
}

func encodeLedger(kind byte, all ledger) ([]byte, error) {
	body, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("encode ledger: %w", err)
	}
	return append(newFrame(kind, 0, len(body)), body...), nil
}

// writeHead begins a segment with what later ones rest on, in few writes: everybody waits.
func (l *Log) writeHead(s *segment) error {
	w := headWriter{segment: s, buffer: make([]byte, 0, min(l.openBytes+8<<10, maxHeadWrite))}
	parts := l.charges.parts()
	first := l.ledger()
	first.Charges, first.Short, first.Parts, first.Starts = []ledgerCharges{}, l.charges.short, len(parts), len(l.open)
	for _, all := range slices.Concat([]ledger{first}, parts) {
		frame, err := encodeLedger(frameCheckpoint, all)
		if err != nil {
			return err
		}
		if err := w.add(frame); err != nil {
			return err
		}
	}
	for _, start := range l.open {
		if err := w.add(start); err != nil {
			return err
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	s.head = s.size
	return nil
}

// headWriter gathers frames into few writes.
type headWriter struct {
	segment *segment
	buffer  []byte
}

func (w *headWriter) add(frame []byte) error {
	if len(w.buffer)+len(frame) > maxHeadWrite {
		if err := w.flush(); err != nil {
			return err
		}
	}
	at := len(w.buffer)
	w.buffer = append(w.buffer, frame...)
	seal(w.buffer[at:], w.segment.seed, w.segment.size+int64(at))
	return nil
}

func (w *headWriter) flush() error {
	err := w.segment.writeSealed(w.buffer)
	w.buffer = w.buffer[:0]
	return err
}
