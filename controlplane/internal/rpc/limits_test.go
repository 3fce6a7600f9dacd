package rpc

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

// clock stands still until it is told otherwise.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func TestLimits(t *testing.T) {
	at := &clock{time.Unix(1_000_000, 0)}
	someone := authn.Principal{Kind: authn.ServiceAccount, ID: uuid.New()}
	other := authn.Principal{Kind: authn.Member, ID: uuid.New()}
	limits := NewLimits(Rate{PerSecond: 2, Burst: 4}, Rate{PerSecond: 1, Burst: 1}, at.read)
	spend := func(t *testing.T, p authn.Principal, n int) {
		t.Helper()
		for range n {
			if err := limits.principal(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	wait := func(t *testing.T, err error) time.Duration {
		t.Helper()
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Exhausted || f.Reason != "too_many_calls" {
			t.Fatalf("got %v", err)
		}
		return f.RetryAfter
	}
	spend(t, someone, 4)
	if got := wait(t, limits.principal(someone)); got != 500*time.Millisecond {
		t.Errorf("wait %s", got)
	}
	spend(t, other, 4) // nobody pays for others
	at.now = at.now.Add(500 * time.Millisecond)
	spend(t, someone, 1)
	wait(t, limits.principal(someone))
	at.now = at.now.Add(time.Hour)
	spend(t, someone, 4) // no more than the burst after a rest
	wait(t, limits.principal(someone))
}

func TestStrangers(t *testing.T) {
	at := &clock{time.Unix(1_000_000, 0)}
	limits := NewLimits(Rate{}, Rate{PerSecond: 1, Burst: 1}, at.read)
	cases := []struct {
		name, first, second string
		same                bool
	}{
		{"ports", "192.0.2.1:1", "192.0.2.1:2", true},
		{"addresses", "192.0.2.2:1", "192.0.2.3:1", false},
		{"ipv6_subscriber", "[2001:db8::1]:1", "[2001:db8::2]:1", true},
		{"ipv6_subscribers", "[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false},
		{"mapped", "[::ffff:192.0.2.9]:1", "192.0.2.9:1", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := limits.stranger(c.first); err != nil {
				t.Fatal(err)
			}
			if err := limits.stranger(c.second); (err != nil) != c.same {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBucketsAreForgotten(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	b := newBuckets(Rate{PerSecond: 1, Burst: 2})
	for i := range maxBuckets + 10 {
		b.take(fmt.Sprint(i), at)
	}
	if len(b.byName) != maxBuckets {
		t.Errorf("%d buckets", len(b.byName))
	}
	if b.take("one more", at) == 0 {
		t.Error("served beyond the bound")
	}
	if b.take("one more", at.Add(3*time.Second)) != 0 || len(b.byName) != 1 {
		t.Errorf("%d buckets are left", len(b.byName))
	}
}
