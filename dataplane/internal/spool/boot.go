package spool

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"
)

// bootState is what the log knows of one boot.
type bootState struct {
	name    string
	closed  bool  // an earlier boot
	written spans // sequence numbers that stand in segments
	durable int64 // last number that is fsynced
	told    int64 // last number that a checkpoint names
	batched spans // numbers in closed batches
	settled spans
}

// newBoot makes the name of the start after the one with this counter.
func newBoot(previous uint32) (string, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("make boot: %w", err)
	}
	return fmt.Sprintf("%08x-%016x", previous+1, binary.BigEndian.Uint64(random[:])), nil
}

func bootCounter(name string) (uint32, error) {
	if len(name) != 8+1+16 || name[8] != '-' {
		return 0, fmt.Errorf("%q is no boot", name)
	}
	if _, err := strconv.ParseUint(name[9:], 16, 64); err != nil {
		return 0, fmt.Errorf("%q is no boot", name)
	}
	counter, err := strconv.ParseUint(name[:8], 16, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is no boot", name)
	}
	return uint32(counter), nil
}

func (l *Log) bootState(name string) *bootState {
	b, ok := l.boots[name]
	if !ok {
		b = &bootState{name: name, closed: name != l.boot}
		l.boots[name] = b
	}
	return b
}

func (b *bootState) unsettled() int64 { return b.written.without(b.settled) }

func (b *bootState) last() int64 { return max(b.written.last(), b.told) }
