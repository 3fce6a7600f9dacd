package control_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// organizationAt is what a control plane believes of keys: a restored one believes
// what was true once.
type organizationAt struct {
	epoch, version int64
	living         map[string]bool
	revoked        map[string]int64 // version of the revocation
	pruned         map[string]bool  // of revoked: neither in the policy nor in the set
}

func newOrganization() *organizationAt {
	return &organizationAt{epoch: 1, living: map[string]bool{}, revoked: map[string]int64{}, pruned: map[string]bool{}}
}

func (o *organizationAt) clone() *organizationAt {
	return &organizationAt{
		epoch: o.epoch, version: o.version,
		living: maps.Clone(o.living), revoked: maps.Clone(o.revoked), pruned: maps.Clone(o.pruned),
	}
}

func (o *organizationAt) add(key string) { o.version++; o.living[key] = true }

func (o *organizationAt) revoke(key string) {
	o.version++
	delete(o.living, key)
	o.revoked[key] = o.version
}

func hashOf(key string) []byte { sum := sha256.Sum256([]byte(key)); return sum[:] }

// set is signed as the control plane would.
func (o *organizationAt) set() *policyv1.Revocations {
	set := &policyv1.Revocations{OrganizationId: organization, GatewayId: gateway, Epoch: o.epoch}
	for key, version := range o.revoked {
		if !o.pruned[key] {
			set.Version = max(set.Version, version)
			set.Revocations = append(set.Revocations, &policyv1.Revocation{KeyId: "id-" + key, KeySha256: hashOf(key), Version: version})
		}
	}
	return set
}

// release raises the version: each has other content.
func (o *organizationAt) release() *draft {
	o.version++
	d := newDraft(o.version)
	d.resources = []*policyv1.Resource{{Kind: "gateway", Id: gateway, Body: encode(&policyv1.Gateway{Id: gateway, Name: fmt.Sprint(o.version)})}}
	add := func(key string, revokedAt *timestamppb.Timestamp) {
		d.resources = append(d.resources, &policyv1.Resource{Kind: "key", Id: "id-" + key, Body: encode(&policyv1.Key{
			Id: "id-" + key, ProjectId: "p", Sha256: hashOf(key), RevokedAt: revokedAt,
		})})
	}
	for key := range o.living {
		add(key, nil)
	}
	for key := range o.revoked {
		if !o.pruned[key] {
			add(key, timestamppb.New(time.Unix(1, 0)))
		}
	}
	d.header.Epoch, d.header.ResourceCount, d.header.Root = o.epoch, int32(len(d.resources)), rootOf(d.resources)
	d.revocations = o.set()
	return d
}

func encode(m proto.Message) []byte {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return body
}

// gate serves real policies and notes which keys it ever refused as revoked.
type gate struct {
	mu     sync.Mutex
	policy *snapshot.Policy
}

func (g *gate) now() *snapshot.Policy {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.policy
}

func (g *gate) store(p *snapshot.Policy) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.policy = p
}

func (g *gate) standing(key string) snapshot.Standing {
	_, standing := g.now().Key([32]byte(hashOf(key)), time.Now())
	return standing
}

func (g *gate) config(url, dir string) control.Config {
	config := (&plane{}).config(url, dir)
	config.Compile = func(r *release, rs []*resource, s *set) (func(), error) {
		policy, err := snapshot.Compile(r, rs, s, snapshot.Origins{})
		return func() { g.store(policy) }, err
	}
	config.ApplyRevocations = func(s *set) error {
		policy, err := g.now().WithRevocations(s)
		if err == nil {
			g.store(policy)
		}
		return err
	}
	return config
}

// fleetOfOne is an agent on a folder that outlives its starts.
type fleetOfOne struct {
	t    *testing.T
	liar *liar
	dir  string
	gate *gate
	stop func()
}

func newFleetOfOne(t *testing.T) *fleetOfOne {
	f := &fleetOfOne{t: t, liar: newLiar(t), dir: t.TempDir()}
	f.start()
	return f
}

func (f *fleetOfOne) start() {
	f.gate = &gate{}
	_, f.stop = run(f.t, f.gate.config(f.liar.url, f.dir))
}

// serve sends a release and waits until it is served.
func (f *fleetOfOne) serve(d *draft) {
	f.t.Helper()
	signed := f.liar.sign(d)
	eventually(f.t, "the release is served", func() bool {
		f.liar.again(func() { f.liar.snapshot(signed) })
		p := f.gate.now()
		return p != nil && p.Epoch() == d.header.GetEpoch() && p.Version() == d.header.GetVersion()
	})
}

func (f *fleetOfOne) revoke(s *policyv1.Revocations) {
	f.t.Helper()
	signed := f.liar.signSet(s)
	eventually(f.t, "the revocations are in force", func() bool {
		f.liar.again(func() { f.liar.revoke(signed) })
		return f.gate.now().RevocationVersion() >= s.GetVersion()
	})
}

// torn damages a slot with the agent stopped.
func (f *fleetOfOne) torn(slot string) {
	f.t.Helper()
	path := filepath.Join(f.dir, "policy", slot)
	if content, err := os.ReadFile(path); err == nil {
		write(f.t, path, content[:len(content)/2])
	}
}

// newest is the slot that holds the later of two policies.
func (f *fleetOfOne) newest() string {
	a, errA := os.Stat(filepath.Join(f.dir, "policy", "a"))
	b, errB := os.Stat(filepath.Join(f.dir, "policy", "b"))
	if errB != nil || errA == nil && a.ModTime().After(b.ModTime()) {
		return "a"
	}
	return "b"
}

// offline starts again with nobody to call.
func (f *fleetOfOne) offline() *gate {
	f.t.Helper()
	f.stop()
	g := &gate{}
	client, err := control.New(g.config("http://127.0.0.1:1", f.dir))
	if err != nil {
		f.t.Fatal(err)
	}
	if !client.LoadPolicy() {
		f.t.Fatal("no policy is left")
	}
	return g
}

func (g *gate) refuses(t *testing.T, key string) {
	t.Helper()
	if s := g.standing(key); s != snapshot.Revoked {
		t.Errorf("key %s: standing %v under version %d", key, s, g.now().Version())
	}
}
