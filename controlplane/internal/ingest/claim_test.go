package ingest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestJudge(t *testing.T) {
	b := bootID{uuid.New(), "1"}
	here, there := position{partition: 1, offset: 5}, position{partition: 1, offset: 6}
	known := claims{}
	known.add(claim{boot: b, first: 11, last: 20, sha256: [32]byte{1}, at: here})
	known.add(claim{boot: b, first: 1, last: 5, sha256: [32]byte{2}, at: here})
	for name, c := range map[string]struct {
		candidate claim
		want      verdict
	}{
		"before_all":        {claim{boot: b, first: 6, last: 10}, fresh},
		"after_all":         {claim{boot: b, first: 21, last: 30}, fresh},
		"another_boot":      {claim{boot: bootID{b.agent, "2"}, first: 11, last: 20}, fresh},
		"the_same_record":   {claim{boot: b, first: 11, last: 20, sha256: [32]byte{1}, at: here}, mine},
		"another_record":    {claim{boot: b, first: 11, last: 20, sha256: [32]byte{1}, at: there}, repeat},
		"another_content":   {claim{boot: b, first: 11, last: 20, sha256: [32]byte{3}, at: there}, conflict},
		"overlap_at_start":  {claim{boot: b, first: 10, last: 11, sha256: [32]byte{1}, at: here}, conflict},
		"overlap_at_end":    {claim{boot: b, first: 20, last: 21, sha256: [32]byte{1}, at: here}, conflict},
		"inside":            {claim{boot: b, first: 12, last: 13, sha256: [32]byte{1}, at: here}, conflict},
		"around_everything": {claim{boot: b, first: 1, last: 100, sha256: [32]byte{1}, at: here}, conflict},
		"came_before":       {claim{boot: b, first: 12, last: 13, sha256: [32]byte{1}, at: position{partition: 1, offset: 4}}, fresh},
		"came_elsewhere":    {claim{boot: b, first: 12, last: 13, sha256: [32]byte{1}, at: position{partition: 2, offset: 4}}, conflict},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judge(c.candidate, known.overlapping(c.candidate)); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestBlocksOf(t *testing.T) {
	in := func(month time.Month, seq int64) row {
		return row{seq: seq, startedAt: time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC)}
	}
	taken := []incoming{{rows: []row{in(11, 1), in(10, 2)}}, {rows: []row{in(11, 3), in(10, 4), in(10, 5)}}}
	at := span{topicID: uuid.MustParse("0192a000-0000-7000-8000-000000000001"), partition: 3, first: 7, last: 9}
	var got []noted
	for _, b := range blocksOf(at, taken, nil) {
		got = append(got, b.noted)
	}
	// The tokens are of the past, too: another value here doubles rows after an upgrade.
	want := []noted{
		{month: 202610, rows: 3, token: "466ac01cc959337a1822a0e9c7e2317c03066e76e21e4f8b57b28eea8a327c41"},
		{month: 202611, rows: 2, token: "f0a4ece3799a3b88b948a7828160731ec3a2675bce7b6a9e86990c2ac9587737"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(noted{})); diff != "" {
		t.Error(diff)
	}
}
