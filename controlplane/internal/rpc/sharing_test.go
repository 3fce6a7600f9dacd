package rpc_test

import (
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/policy"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// shares is what agents get of weights, priorities and queues, compiled from what changed and
// held against the whole.
func shares(t *testing.T, c *compiler) (projects, keys int32, priority policyv1.Priority, queue *policyv1.Queue) {
	t.Helper()
	c.step(t)
	for _, r := range c.before.Resources() {
		var err error
		switch r.Kind {
		case policy.KindProject:
			var p policyv1.Project
			err = proto.Unmarshal(r.Body, &p)
			projects += p.Weight
		case policy.KindKey:
			var k policyv1.Key
			err = proto.Unmarshal(r.Body, &k)
			keys, priority = keys+k.Weight, max(priority, k.Priority)
		case policy.KindProvider:
			var p policyv1.Provider
			err = proto.Unmarshal(r.Body, &p)
			queue = p.Queue
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return projects, keys, priority, queue
}

// Weights, priorities and queues reach the agents, and are gone where they are taken back: agents
// need nothing new then.
func TestWeightsPrioritiesAndQueues(t *testing.T) {
	n := install(t).tenant("alpha")
	follows := &compiler{in: n.in, organization: mustParse(t, n.organization.Id), gateway: mustParse(t, n.gateway.Id)}
	same(t, n.project.Weight, 1)
	same(t, n.key.Weight, 1)
	same(t, n.key.Priority, adminv1.Priority_PRIORITY_NORMAL)
	same(t, n.provider.Queue == nil, true)
	shares(t, follows)
	before := follows.before.MinimumCapability
	begun := n.head()

	key := call(t, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: &adminv1.Key{Id: n.key.Id, Weight: 3, Priority: adminv1.Priority_PRIORITY_BATCH}}).Key
	same(t, key.Weight, 3)
	same(t, key.Priority, adminv1.Priority_PRIORITY_BATCH)
	same(t, key.Name, n.key.Name)
	same(t, call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: n.project.Id, Weight: 7}}).Project.Weight, 7)
	provider := call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
		Provider: &adminv1.Provider{Id: n.provider.Id, Queue: &adminv1.Queue{MaxRequests: 100, MaxWaitMs: 5000}},
	}).Provider
	same(t, provider.Queue.MaxWaitMs, 5000)
	projects, keys, priority, queue := shares(t, follows)
	if projects != 7 || keys != 3 || priority != policyv1.Priority_PRIORITY_BATCH || queue.GetMaxRequests() != 100 || follows.before.MinimumCapability != 10 {
		t.Errorf("agents get %d, %d, %v, %v and need %d", projects, keys, priority, queue, follows.before.MinimumCapability)
	}
	set := n.head()
	if all := n.differences(begun, set, 10); all[n.key.Id] == nil || all[n.project.Id] == nil || all[n.provider.Id] == nil {
		t.Errorf("the difference lacks some of it: %v", all)
	}
	call(t, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: key}) // as it was read
	same(t, n.head(), set)

	call(t, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{
		Key: &adminv1.Key{Id: n.key.Id, Weight: 1, Priority: adminv1.Priority_PRIORITY_NORMAL}, UpdateMask: mask("weight", "priority"),
	})
	call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: n.project.Id}, UpdateMask: mask("weight")})
	call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: n.provider.Id}, UpdateMask: mask("queue")})
	if projects, keys, priority, queue := shares(t, follows); projects != 0 || keys != 0 || priority != 0 || queue != nil || follows.before.MinimumCapability != before {
		t.Errorf("taken back agents get %d, %d, %v, %v and need %d", projects, keys, priority, queue, follows.before.MinimumCapability)
	}
	call(t, n.history.Revert, toVersion(set))
	if projects, keys, _, queue := shares(t, follows); projects != 7 || keys != 3 || queue.GetMaxRequests() != 100 {
		t.Errorf("after the way back agents get %d, %d, %v", projects, keys, queue)
	}

	made := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "urgent", ProjectId: n.project.Id, Weight: 100, Priority: adminv1.Priority_PRIORITY_INTERACTIVE}).Key
	same(t, made.Weight, 100)
	same(t, made.Priority, adminv1.Priority_PRIORITY_INTERACTIVE)
	same(t, call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "heavy", Weight: 2}).Project.Weight, 2)
	refused(t, connect.CodeInvalidArgument, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "a", ProjectId: n.project.Id, Weight: 101})
	refused(t, connect.CodeInvalidArgument, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "a", ProjectId: n.project.Id, Priority: 9})
	refused(t, connect.CodeInvalidArgument, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "a", Weight: -1})
	refused(t, connect.CodeInvalidArgument, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
		Provider: &adminv1.Provider{Id: n.provider.Id, Queue: &adminv1.Queue{MaxRequests: 1}},
	})
}
