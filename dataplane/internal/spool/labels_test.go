package spool_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// labelled is a record with all that a caller may say.
func labelled(name string, r *usagev1.UsageRecord) *usagev1.UsageRecord {
	r.EndUser, r.RunId = strings.Repeat("u", batch.MaxCallerIDBytes), strings.Repeat("r", batch.MaxCallerIDBytes)
	for i := range batch.MaxLabels {
		label := fmt.Sprintf("%s%02d%s", name, i, strings.Repeat("n", batch.MaxLabelNameBytes))
		r.Labels = append(r.Labels, &usagev1.Label{Name: label[:batch.MaxLabelNameBytes], Value: strings.Repeat("v", batch.MaxLabelValueBytes)})
	}
	return r
}

// TestEndsOfTalkativeRequestsHaveRoom: their callers say more than an end has set aside for
// it, and the bound in bytes holds all the same.
func TestEndsOfTalkativeRequestsHaveRoom(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), SegmentBytes: 64 << 10, MaxBytes: 1 << 20}
	l := open(t, o)
	var ids []uint64
	for {
		id, err := l.Start(labelled("a", started(fmt.Sprint(len(ids)))))
		if errors.Is(err, spool.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	for i, id := range ids {
		if err := l.End(id, labelled("a", finished(fmt.Sprint(i)))); err != nil {
			t.Fatal(err)
		}
	}
	if bytes := l.Stats().Bytes; len(ids) < 20 || bytes > o.MaxBytes {
		t.Errorf("%d requests, %d of %d bytes", len(ids), bytes, o.MaxBytes)
	}
	if got := len(recordsOf(t, drain(t, l))); got != len(ids) {
		t.Errorf("%d of %d records", got, len(ids))
	}
}
