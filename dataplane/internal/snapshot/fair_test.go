package snapshot_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestWeightsAndQueues(t *testing.T) {
	with := func(k *policyv1.Key, q *policyv1.Queue, projects ...*policyv1.Project) []*policyv1.Resource {
		k.Id, k.ProjectId, k.Sha256 = "fair", "p", sum("fair")
		all := append(good(t), resource(t, "key", "fair", k))
		for _, p := range projects {
			all = append(all, resource(t, "project", p.GetId(), p))
		}
		for _, r := range all {
			if r.GetKind() != "provider" {
				continue
			}
			var p policyv1.Provider
			if err := proto.Unmarshal(r.GetBody(), &p); err != nil {
				t.Fatal(err)
			}
			p.Queue = q
			r.Body, _ = proto.Marshal(&p)
		}
		return all
	}
	p, err := compile(with(&policyv1.Key{Weight: 3, Priority: policyv1.Priority_PRIORITY_BATCH}, &policyv1.Queue{MaxRequests: 5, MaxWaitMs: 1500},
		&policyv1.Project{Id: "p", Weight: 7}, &policyv1.Project{Id: "other"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := p.Key([32]byte(sum("fair")), now)
	if key.Weight != 3 || key.ProjectWeight != 7 || key.Priority != policyv1.Priority_PRIORITY_BATCH {
		t.Errorf("%+v", key)
	}
	if got := p.Route("a").Targets[0].Provider.Queue; got != (snapshot.Queue{Most: 5, Wait: 1500 * time.Millisecond}) {
		t.Errorf("%+v", got)
	}
	p, err = compile(with(&policyv1.Key{}, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	key, _ = p.Key([32]byte(sum("fair")), now)
	if key.Weight != 1 || key.ProjectWeight != 1 || key.Priority != policyv1.Priority_PRIORITY_NORMAL || p.Route("a").Targets[0].Provider.Queue != (snapshot.Queue{}) {
		t.Errorf("of what says nothing: %+v", key)
	}
	wantReasons(t, with(&policyv1.Key{Weight: 101, Priority: 9}, nil, &policyv1.Project{Id: "p", Weight: -1}, &policyv1.Project{Id: "p"}),
		"key fair: its weight is 101", "key fair: its priority is 9", "project p: its weight is -1", "project p is there twice")
	for reason, q := range map[string]*policyv1.Queue{
		"in its queue 0 requests wait for 5 ms":        {MaxWaitMs: 5},
		"in its queue 1001 requests wait for 5 ms":     {MaxRequests: 1001, MaxWaitMs: 5},
		"in its queue 5 requests wait for 0 ms":        {MaxRequests: 5},
		"in its queue 1000 requests wait for 60001 ms": {MaxRequests: 1000, MaxWaitMs: 60_001},
	} {
		wantReasons(t, with(&policyv1.Key{}, q), reason)
	}
}
