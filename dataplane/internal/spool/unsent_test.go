package spool

import "testing"

func TestABatchIsNotHandedOutBeforeItIsFsynced(t *testing.T) {
	for fsynced, want := range map[int64]bool{104: false, 105: true} {
		l := &Log{batches: []*batchRef{{segment: &segment{durable: fsynced}, offset: 100, length: 5}}}
		if refs, waiting := l.unsent(2); (len(refs) == 1) != want || waiting == want {
			t.Errorf("fsynced up to %d: handed out %d, waiting %v", fsynced, len(refs), waiting)
		}
	}
}
