package spool

import (
	"testing"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// BenchmarkRotate is how long everybody waits while a segment is begun, with so many requests
// open: 1,000 streams, and 10,000.
func BenchmarkRotate(b *testing.B) {
	for name, open := range map[string]int{"none_open": 0, "1000_open": 1000, "10000_open": 10_000} {
		b.Run(name, func(b *testing.B) {
			l, err := Open(Options{Dir: b.TempDir(), SegmentBytes: 1 << 20, MaxBytes: 1 << 40})
			if err != nil {
				b.Fatal(err)
			}
			for range open {
				if _, err := l.Start(&usagev1.UsageRecord{RequestId: "0197f1c2-0000-7000-8000-000000000001", Route: "fast",
					Attempts: []*usagev1.Attempt{{Provider: "openai", Model: "gpt-5", Usage: &usagev1.TokenUsage{Output: 4096}}}}); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				l.mu.Lock()
				err := l.rotate()
				l.mu.Unlock()
				if err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			if err := l.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
