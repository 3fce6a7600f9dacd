package control_test

import (
	"bytes"
	"strings"
	"testing"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// A genuine policy that is too large is refused with a reason, and not sent again.
func TestPoliciesThatAreTooLarge(t *testing.T) {
	for name, c := range map[string]struct {
		resources func() []*policyv1.Resource
		want      string
		chunks    int32
		come      int // of the chunks, each of one resource
	}{
		"resources": {func() []*policyv1.Resource {
			many := make([]*policyv1.Resource, 250_001)
			for n := range many {
				many[n] = &policyv1.Resource{Kind: "k", Id: string(rune(n))}
			}
			return many
		}, "too large: 250001 resources, at most 250000", 0, 0},
		"resources_to_come": {func() []*policyv1.Resource {
			return make([]*policyv1.Resource, 250_001)
		}, "too large: 250001 resources, at most 250000", 10, 0},
		"bytes": {func() []*policyv1.Resource {
			return []*policyv1.Resource{{Kind: "k", Id: "1", Body: make([]byte, 32<<20)}, {Kind: "k", Id: "2", Body: make([]byte, 32<<20)}}
		}, "at most 67108864 are accepted", 0, 0},
		"bytes_in_chunks": {func() []*policyv1.Resource {
			return []*policyv1.Resource{
				{Kind: "k", Id: "1", Body: make([]byte, 32<<20)}, {Kind: "k", Id: "2", Body: make([]byte, 32<<20)}, {Kind: "k", Id: "3"},
			}
		}, "at most 67108864 are accepted", 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			l, p := serving(t)
			d := newDraft(6)
			d.resources = c.resources()
			d.header.ResourceCount, d.header.Root = int32(len(d.resources)), rootOf(d.resources)
			s := l.sign(d)
			if c.chunks > 0 {
				s.Resources, s.Chunks = nil, c.chunks
			}
			l.snapshot(s)
			for n := range c.come {
				l.chunk(int32(n), d.resources[n:n+1])
			}
			report := l.rejection(t)
			if reasons := strings.Join(report.GetReasons(), " "); !strings.Contains(reasons, c.want) {
				t.Errorf("reasons %q", reasons)
			}
			l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{GoAway: &agentv1.GoAway{}}}
			eventually(t, "the agent comes back and names the root", func() bool {
				return bytes.Equal(l.lastWatch().GetRejectedRoot(), d.header.GetRoot())
			})
			if v, _ := p.now(); v != 5 {
				t.Errorf("version %d is served", v)
			}
		})
	}
}
