package control_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	"github.com/weirhq/weir/proto/contract/digest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// serving is a client that has version 5 with revocations up to 2.
func serving(t *testing.T) (*liar, *plane) {
	t.Helper()
	l, p := newLiar(t), &plane{}
	run(t, p.config(l.url, t.TempDir()))
	d := newDraft(5)
	d.revocations = revoked(1, 2)
	l.snapshot(l.sign(d))
	eventually(t, "version 5 is served", func() bool { v, r := p.now(); return v == 5 && r == 2 })
	return l, p
}

func TestWhatIsRefused(t *testing.T) {
	_, stranger, _ := ed25519.GenerateKey(nil)
	signed := func(bend func(*draft)) func(*liar) *agentv1.Snapshot {
		return func(l *liar) *agentv1.Snapshot {
			d := newDraft(6)
			bend(d)
			return l.sign(d)
		}
	}
	tampered := func(bend func(*agentv1.Snapshot)) func(*liar) *agentv1.Snapshot {
		return func(l *liar) *agentv1.Snapshot {
			s := l.sign(newDraft(6))
			bend(s)
			return s
		}
	}
	for name, c := range map[string]struct {
		snapshot func(*liar) *agentv1.Snapshot
		want     string
	}{
		"signature_changed": {tampered(func(s *agentv1.Snapshot) { s.Release.Signature[7] ^= 1 }), "wrong signature"},
		"header_changed":    {tampered(func(s *agentv1.Snapshot) { s.Release.Release[len(s.Release.Release)-1] ^= 1 }), "wrong signature"},
		"signed_by_another": {tampered(func(s *agentv1.Snapshot) {
			s.Release.Signature = ed25519.Sign(stranger, digest.ReleaseMessage(s.Release.Release))
		}), "wrong signature"},
		"unpinned_key":         {tampered(func(s *agentv1.Snapshot) { s.Release.SigningKeyId = "other" }), "not pinned"},
		"resource_changed":     {tampered(func(s *agentv1.Snapshot) { s.Resources[1].Body = []byte{99} }), "root"},
		"resource_missing":     {tampered(func(s *agentv1.Snapshot) { s.Resources = s.Resources[:1] }), "counts 2"},
		"resource_added":       {tampered(func(s *agentv1.Snapshot) { s.Resources = append(s.Resources, s.Resources[0]) }), "counts 2"},
		"revocations_tampered": {tampered(func(s *agentv1.Snapshot) { s.Revocations.Signature[0] ^= 1 }), "revocations"},
		"other_organization":   {signed(func(d *draft) { d.header.OrganizationId = "other" }), "organization"},
		"other_gateway":        {signed(func(d *draft) { d.header.GatewayId = "other" }), "gateway"},
		"older_version":        {signed(func(d *draft) { d.header.Version = 4 }), "older"},
		"older_epoch":          {signed(func(d *draft) { d.header.Epoch, d.header.Version = 0, 100 }), "older"},
		"same_version_other_content": {signed(func(d *draft) {
			d.header.Version = 5
		}), "older"},
		"wrong_root": {signed(func(d *draft) { d.header.Root = bytes.Repeat([]byte{1}, 32) }), "root"},
		"twice_the_same_name": {signed(func(d *draft) {
			d.resources[1].Kind, d.resources[1].Id = "gateway", gateway
			d.header.Root = rootOf(d.resources)
		}), "twice"},
		"capability": {signed(func(d *draft) { d.header.MinimumCapability = control.Capability + 1 }), fmt.Sprintf("capability %d, this one has %d", control.Capability+1, control.Capability)},
		"too_many_resources": {signed(func(d *draft) {
			d.resources = nil
			for range 250_001 {
				d.resources = append(d.resources, &policyv1.Resource{})
			}
			d.header.ResourceCount = 250_001
		}), "250001 resources"},
	} {
		t.Run(name, func(t *testing.T) {
			l, p := serving(t)
			l.snapshot(c.snapshot(l))
			report := l.rejection(t)
			if !strings.Contains(strings.Join(report.GetReasons(), " "), c.want) {
				t.Errorf("reasons %q, want one with %q", report.GetReasons(), c.want)
			}
			if report.GetPosition().GetVersion() != 5 {
				t.Errorf("report says version %d is served", report.GetPosition().GetVersion())
			}
			if v, r := p.now(); v != 5 || r != 2 {
				t.Errorf("version %d with revocations %d is served", v, r)
			}
			next := newDraft(7)
			next.header.MinimumCapability = control.Capability
			good := l.sign(next)
			eventually(t, "the next good policy is served", func() bool {
				l.again(func() { l.snapshot(good) })
				v, r := p.now()
				return v == 7 && r == 2
			})
		})
	}
}

func TestWhatCompileRefuses(t *testing.T) {
	for name, compile := range map[string]func() error{
		"reasons": func() error { return &snapshot.InvalidError{Reasons: []string{"one", "two"}} },
		"panic":   func() error { panic("one two") },
		"long": func() error {
			return &snapshot.InvalidError{Reasons: []string{"one \xff", "two" + strings.Repeat("o", 1<<20)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, p := serving(t)
			p.compile = func(r *policyv1.Release) error {
				if r.GetVersion() == 6 {
					return compile()
				}
				return nil
			}
			bad := l.sign(newDraft(6))
			l.snapshot(bad)
			if reasons := strings.Join(l.rejection(t).GetReasons(), " "); len(reasons) > 1100 || !strings.Contains(reasons, "one") || !strings.Contains(reasons, "two") {
				t.Errorf("reasons %q", reasons)
			}
			l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{GoAway: &agentv1.GoAway{}}}
			eventually(t, "the agent comes back and names the root", func() bool {
				return bytes.Equal(l.lastWatch().GetRejectedRoot(), newDraft(6).header.GetRoot())
			})
			if have := l.lastWatch().GetHave(); have.GetVersion() != 5 || have.GetRevocationVersion() != 2 {
				t.Errorf("the agent says it has %v", have)
			}
		})
	}
}

// What is refused while there is nothing else is told, also after a restart.
func TestUnserved(t *testing.T) {
	l, p := newLiar(t), &plane{compile: func(r *policyv1.Release) error {
		if r.GetVersion() == 5 {
			return &snapshot.InvalidError{Reasons: []string{"one", "two"}}
		}
		return nil
	}}
	dir := t.TempDir()
	client, stop := run(t, p.config(l.url, dir))
	if why := client.Unserved(); why != nil {
		t.Errorf("before any came: %v", why)
	}
	l.snapshot(l.sign(newDraft(5)))
	l.rejection(t)
	for _, when := range []string{"then", "after a restart"} {
		if why := client.Unserved(); why == nil || !strings.Contains(why.Error(), "one (and 1 more)") {
			t.Errorf("%s: %v", when, why)
		}
		stop()
		client, stop = run(t, p.config(l.url, dir))
	}
	eventually(t, "another one is served", func() bool {
		l.again(func() { l.snapshot(l.sign(newDraft(6))) })
		return p.serves(6)()
	})
	if why := client.Unserved(); why != nil {
		t.Errorf("while one is served: %v", why)
	}
}

func TestRevocations(t *testing.T) {
	l, p := serving(t)
	l.revoke(l.signSet(revoked(1, 4)))
	eventually(t, "revocations 4 are in force", func() bool { _, r := p.now(); return r == 4 })

	l.revoke(l.signSet(revoked(1, 3)))
	l.snapshot(l.sign(newDraft(6))) // comes with an empty set
	eventually(t, "version 6 is served", func() bool { v, _ := p.now(); return v == 6 })
	if _, r := p.now(); r != 4 {
		t.Errorf("revocations went from 4 to %d", r)
	}

	forged := l.signSet(revoked(1, 9))
	forged.Signature[3] ^= 1
	other := revoked(1, 9)
	other.GatewayId = "other"
	for _, bad := range []*policyv1.SignedRevocations{forged, l.signSet(other)} {
		streams := l.streams()
		l.revoke(bad)
		eventually(t, "the stream is given up", func() bool { return l.streams() > streams })
		if _, r := p.now(); r != 4 {
			t.Errorf("revocations went from 4 to %d", r)
		}
	}
	next := l.signSet(revoked(2, 1))
	eventually(t, "a new epoch begins anew", func() bool {
		l.again(func() { l.revoke(next) })
		_, r := p.now()
		return r == 1
	})
}

func TestHeartbeat(t *testing.T) {
	l, p := newLiar(t), &plane{}
	client, _ := run(t, p.config(l.url, t.TempDir()))
	if !client.Freshness().IsZero() {
		t.Error("fresh without a policy")
	}
	l.snapshot(l.sign(newDraft(1)))
	eventually(t, "the policy is fresh", func() bool { return !client.Freshness().IsZero() })
	before := client.Freshness()
	l.heartbeat(&agentv1.SettledRange{Boot: "b", FirstSeq: 1, LastSeq: 2})
	eventually(t, "usage is settled", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.settled) == 1 && !client.Freshness().Before(before)
	})
	p.compile = func(*policyv1.Release) error { return errors.New("no") }
	l.snapshot(l.sign(newDraft(2)))
	l.rejection(t)
	stale := client.Freshness()
	l.heartbeat()
	l.heartbeat(&agentv1.SettledRange{Boot: "b", FirstSeq: 1, LastSeq: 2}, &agentv1.SettledRange{Boot: "c", FirstSeq: 1, LastSeq: 2})
	eventually(t, "the heartbeat is there", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.settled) == 2 })
	if !client.Freshness().Equal(stale) {
		t.Error("a policy that is behind a refused one counts as confirmed")
	}
}

func TestClock(t *testing.T) {
	l, p := newLiar(t), &plane{}
	l.ahead = time.Hour
	config := p.config(l.url, t.TempDir())
	config.Timing.Report = time.Millisecond
	client, _ := run(t, config)
	<-client.Enrolled()
	identity, _ := client.Identity()
	eventually(t, "tokens are of the control plane's time", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		token, err := agentjwt.Parse(l.bearer)
		if err != nil {
			return false
		}
		return !errors.Is(token.Verify(identity.PublicKey(), agentjwt.Expect{Now: time.Now().Add(time.Hour)}), agentjwt.ErrNotYet) &&
			errors.Is(token.Verify(identity.PublicKey(), agentjwt.Expect{Now: time.Now()}), agentjwt.ErrNotYet)
	})
}

// An agent learns the time with its first answer, and again after a restart.
func TestAgentWithAWrongClock(t *testing.T) {
	for name, ahead := range map[string]time.Duration{
		"two_hours_slow": 2 * time.Hour, "two_hours_fast": -2 * time.Hour,
		"ten_days_slow": 240 * time.Hour, "ten_days_fast": -240 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			l, p, dir := newLiar(t), &plane{}, t.TempDir()
			l.ahead = ahead
			client, stop := run(t, p.config(l.url, dir))
			l.snapshot(l.sign(newDraft(1)))
			eventually(t, "its first policy is served", func() bool { v, _ := p.now(); return v == 1 })
			l.heartbeat()
			eventually(t, "it is confirmed", func() bool { return !client.Freshness().IsZero() })
			if n := l.misdated(); n != 0 {
				t.Errorf("%d calls were dated wrongly after the enrolment said the time", n)
			}
			stop()

			p = &plane{}
			run(t, p.config(l.url, dir))
			second := l.sign(newDraft(2))
			eventually(t, "the next policy is served after a restart", func() bool {
				l.again(func() { l.snapshot(second) })
				v, _ := p.now()
				return v == 2
			})
			if n := l.misdated(); n < 1 || n > 2 {
				t.Errorf("%d calls were dated wrongly, want the first of the stream and perhaps of the reports", n)
			}
		})
	}
}
