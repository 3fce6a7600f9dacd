package audit_test

import (
	"testing"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

// part verifies some versions and counts the findings.
func (w *world) part(first, last int64, expect ...audit.Anchor) (audit.Result, error) {
	w.t.Helper()
	return audit.Verify(w.t.Context(), w.db, w.ring, w.organization, audit.Options{First: first, Last: last, Expect: expect})
}

func TestVerify_a_part(t *testing.T) {
	w := newWorld(t)
	w.append(2, true)  // 1, 2
	w.append(1, false) // 3, chained late
	w.append(3, true)  // 4 to 6
	w.append(1, true)  // 7
	if _, err := audit.Begin(t.Context(), w.db, w.ring, w.organization); err != nil {
		t.Fatal(err)
	}
	anchors := map[int64]audit.Anchor{}
	for _, last := range []int64{2, 3, 6, 7} {
		result, err := w.part(1, last)
		if err != nil || len(result.Findings) > 0 || result.Anchor.Version != last {
			t.Fatalf("1 to %d: %+v, %v", last, result, err)
		}
		anchors[last] = result.Anchor
	}
	t.Run("whole_links_of_it", func(t *testing.T) {
		for _, c := range []struct{ from, to, first, last int64 }{
			{1, 0, 1, 7}, {2, 0, 1, 7}, {3, 3, 3, 3}, {4, 7, 4, 7}, {5, 5, 4, 6}, {5, 99, 4, 7}, {7, 7, 7, 7}, {0, 1, 1, 2},
		} {
			result, err := w.part(c.from, c.to)
			if err != nil || len(result.Findings) > 0 || result.First != c.first || result.Last != c.last {
				t.Errorf("%d to %d: %+v, %v", c.from, c.to, result, err)
			}
		}
	})
	t.Run("from_an_anchor_on", func(t *testing.T) {
		if result, err := w.part(4, 0, anchors[3]); err != nil || len(result.Findings) > 0 {
			t.Errorf("%+v, %v", result, err)
		}
		forged := anchors[7]
		forged.Version = 3
		if result, err := w.part(4, 0, forged); err != nil || len(result.Findings) != 1 {
			t.Errorf("an anchor of another chain: %+v, %v", result, err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for name, part := range map[string]func() (audit.Result, error){
			"beyond_the_log":           func() (audit.Result, error) { return w.part(8, 0) },
			"an_anchor_long_before_it": func() (audit.Result, error) { return w.part(7, 0, anchors[3]) },
			"an_anchor_after_it":       func() (audit.Result, error) { return w.part(1, 3, anchors[7]) },
		} {
			if _, err := part(); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("what_is_wrong_in_it_and_only_that", func(t *testing.T) {
		w.tamper(`UPDATE event SET actor = 'member:other' WHERE version = 5`)
		for _, c := range []struct {
			from, to int64
			findings int
		}{{1, 3, 0}, {7, 0, 0}, {1, 0, 1}, {6, 6, 1}, {4, 0, 1}} {
			result, err := w.part(c.from, c.to)
			if err != nil || len(result.Findings) != c.findings {
				t.Errorf("%d to %d: %+v, %v", c.from, c.to, result, err)
			}
		}
		w.tamper(`UPDATE event SET actor = 'member:m' WHERE version = 5`, `DELETE FROM audit_link WHERE last = 6`)
		if result, err := w.part(3, 6); err != nil || len(result.Findings) != 1 || result.Findings[0].First != 4 || result.Findings[0].Last != 6 {
			t.Errorf("a link that is gone at the end: %+v, %v", result, err)
		}
	})
}

// A log that was edited everywhere takes no more memory than another.
func TestVerify_findings_are_bounded(t *testing.T) {
	w := newWorld(t)
	const events = 1200
	w.append(events, true)
	w.tamper(`UPDATE event SET actor = 'member:other'`)
	seen := int64(0)
	result, err := audit.Verify(t.Context(), w.db, w.ring, w.organization, audit.Options{Progress: func(n, of int64) {
		if seen = n; of != events {
			t.Errorf("of %d", of)
		}
	}})
	if err != nil || len(result.Findings) != 1000 || result.More != events-1000 || seen != events {
		t.Errorf("%d findings and %d more, told of %d events: %v", len(result.Findings), result.More, seen, err)
	}
}
