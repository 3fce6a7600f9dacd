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

func (l *Log) learn(payload []byte) error {
	var all ledger
	if err := json.Unmarshal(payload, &all); err != nil {
		return fmt.Errorf("decode ledger: %w", err)
	}
	for _, told := range all.Boots {
		if _, err := bootCounter(told.Boot); err != nil {
			return fmt.Errorf("decode ledger: %w", err)
		}
		b := l.bootState(told.Boot)
		b.told = max(b.told, told.Last)
		for _, s := range told.Settled {
			b.settled.add(s.First, s.Last)
			b.batched.add(s.First, s.Last)
		}
	}
	return nil
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
	head, err := encodeLedger(frameCheckpoint, l.ledger())
	if err != nil {
		return err
	}
	seal(head, s.seed, s.size)
	head = slices.Grow(head, int(min(l.openBytes, maxHeadWrite)))
	for _, start := range l.open {
		if len(head)+len(start) > maxHeadWrite {
			if err := s.writeSealed(head); err != nil {
				return err
			}
			head = head[:0]
		}
		head = append(head, start...)
		seal(head[len(head)-len(start):], s.seed, s.size+int64(len(head)-len(start)))
	}
	if err := s.writeSealed(head); err != nil {
		return err
	}
	s.head = s.size
	return nil
}
