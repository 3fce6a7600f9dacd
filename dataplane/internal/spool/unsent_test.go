package spool

import "testing"

func TestABatchIsNotHandedOutBeforeItIsFsynced(t *testing.T) {
	for fsynced, want := range map[int64]bool{104: false, 105: true} {
		l := &Log{batches: []*batchRef{{segment: &segment{durable: fsynced}, offset: 100, length: 5}}}
		if ref, durable := l.unsent(); ref == nil || durable != want {
			t.Errorf("fsynced up to %d: handed out %v", fsynced, durable)
		}
	}
}
