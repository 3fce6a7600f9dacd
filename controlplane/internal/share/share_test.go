package share_test

import (
	"testing"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/share"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestWeights(t *testing.T) {
	for said, want := range map[share.Weight]share.Weight{0: 0, 1: 0, 2: 2, 100: 100} {
		if got, err := said.Complete(); got != want || err != nil {
			t.Errorf("%d is kept as %d, %v", said, got, err)
		}
	}
	for _, said := range []share.Weight{-1, 101} {
		if _, err := said.Complete(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d: %v", said, err)
		}
	}
	if share.Weight(0).Effective() != 1 || share.Weight(7).Effective() != 7 {
		t.Error("what is not said is not 1")
	}
}

func TestPriorities(t *testing.T) {
	for said, want := range map[eventv1.Priority]eventv1.Priority{
		0: 0, eventv1.Priority_PRIORITY_NORMAL: 0, eventv1.Priority_PRIORITY_BATCH: eventv1.Priority_PRIORITY_BATCH,
		eventv1.Priority_PRIORITY_INTERACTIVE: eventv1.Priority_PRIORITY_INTERACTIVE,
	} {
		if got, err := share.CompletePriority(said); got != want || err != nil {
			t.Errorf("%v is kept as %v, %v", said, got, err)
		}
	}
	if _, err := share.CompletePriority(9); !fault.Is(err, fault.Invalid) {
		t.Errorf("9: %v", err)
	}
}

func TestQueues(t *testing.T) {
	for _, q := range []share.Queue{{}, {MaxRequests: 1, MaxWaitMS: 1}, {MaxRequests: 1000, MaxWaitMS: 60_000}} {
		if err := q.Check(); err != nil || share.FromEvent(q.ToEvent()) != q {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for _, q := range []share.Queue{{MaxRequests: 1}, {MaxWaitMS: 1}, {MaxRequests: 1001, MaxWaitMS: 1}, {MaxRequests: 1, MaxWaitMS: 60_001}, {MaxRequests: -1, MaxWaitMS: -1}} {
		if err := q.Check(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
