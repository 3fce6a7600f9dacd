package fleet_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	"github.com/weirhq/weir/controlplane/internal/signing"
	"github.com/weirhq/weir/proto/contract/digest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestWitness(t *testing.T) {
	t.Run("memory", func(t *testing.T) { witnessSuite(t, &fleettest.Releases{}) })
	t.Run("postgres", func(t *testing.T) { witnessSuite(t, fleet.NewReleaseTable(pgtest.Open(t))) })
}

// The ledger of quotas learns that something was lost, and of no other reason to raise an epoch.
func TestALostReleaseIsARestore(t *testing.T) {
	db := pgtest.Open(t)
	releases := fleet.NewReleaseTable(db)
	organization, gateway := uuid.New(), uuid.New()
	first, err := releases.Publish(t.Context(), draft(organization, gateway, 5, 1))
	if err != nil {
		t.Fatal(err)
	}
	again, err := releases.Publish(t.Context(), draft(organization, gateway, 5, 2)) // other content of the version
	if err != nil || again.Epoch <= first.Epoch || restoredEpoch(t, db, organization) != 0 {
		t.Errorf("epoch %d after %d, of a restore %d, %v", again.Epoch, first.Epoch, restoredEpoch(t, db, organization), err)
	}
	served := fleet.Served{OrganizationID: organization, GatewayID: gateway, Epoch: again.Epoch + 7, Version: 5, Root: again.Root}
	if found, err := releases.Witness(t.Context(), served); err != nil || found != fleet.Lost {
		t.Fatal(found, err)
	}
	if epoch, err := releases.Epoch(t.Context(), organization); err != nil || restoredEpoch(t, db, organization) != epoch {
		t.Errorf("epoch %d, of a restore %d, %v", epoch, restoredEpoch(t, db, organization), err)
	}
}

// witnessSuite: of a gateway whose releases are 5 and 9 in one epoch.
func witnessSuite(t *testing.T, releases fleet.Releases) {
	cases := map[string]struct {
		epoch, version int64 // the epoch is added to the present one
		root           byte
		raises         bool
	}{
		"one_that_is_stored":                    {0, 5, 5, false},
		"the_newest":                            {0, 9, 9, false},
		"one_that_came_later":                   {0, 12, 12, true},
		"other_content_of_a_version":            {0, 9, 8, true},
		"one_in_between":                        {0, 7, 7, true},
		"one_that_may_have_been_pruned":         {0, 3, 3, false},
		"one_of_an_epoch_that_is_over":          {-1, 20, 20, false},
		"one_of_an_epoch_that_never_was":        {1, 2, 2, true},
		"one_of_an_epoch_that_is_yet_to_come":   {1 << 40, 9, 9, true},
		"the_newest_of_an_epoch_yet_to_come":    {7, 9, 9, true},
		"one_of_the_other_track_of_the_gateway": {0, 6, 66, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			organization, gateway := uuid.New(), uuid.New()
			for _, version := range []int64{5, 9} {
				if _, err := releases.Publish(t.Context(), draft(organization, gateway, version, byte(version))); err != nil {
					t.Fatal(err)
				}
			}
			candidate := draft(organization, gateway, 6, 66)
			candidate.Track = rollout.Candidate
			first, err := releases.Publish(t.Context(), candidate)
			if err != nil {
				t.Fatal(err)
			}
			served := fleet.Served{
				OrganizationID: organization, GatewayID: gateway, Epoch: first.Epoch + c.epoch, Version: c.version, Root: bytes.Repeat([]byte{c.root}, 32),
			}
			var raised atomic.Int32
			var wait sync.WaitGroup
			for range 8 {
				wait.Go(func() {
					found, err := releases.Witness(context.Background(), served)
					if err != nil {
						t.Error(err)
					}
					if found == fleet.Lost {
						raised.Add(1)
					}
				})
			}
			wait.Wait()
			epoch, err := releases.Epoch(t.Context(), organization)
			if err != nil {
				t.Fatal(err)
			}
			if c.raises != (raised.Load() == 1) || raised.Load() > 1 || c.raises != (epoch > first.Epoch) || c.raises && epoch <= served.Epoch {
				t.Errorf("raised %d times, from %d to %d; %d was presented", raised.Load(), first.Epoch, epoch, served.Epoch)
			}
		})
	}
	t.Run("another_gateways_release_is_none_of_this_one", func(t *testing.T) {
		organization, gateway, other := uuid.New(), uuid.New(), uuid.New()
		first, err := releases.Publish(t.Context(), draft(organization, other, 5, 5))
		if err != nil {
			t.Fatal(err)
		}
		served := fleet.Served{OrganizationID: organization, GatewayID: gateway, Epoch: first.Epoch, Version: 5, Root: first.Root}
		if found, err := releases.Witness(t.Context(), served); err != nil || found != fleet.Lost {
			t.Errorf("%s, %v", found, err)
		}
	})
}

// witnessed is a process with an agent that has its policy.
type witnessed struct {
	*server
	*agent
	registry *prometheus.Registry
	header   *policyv1.Release
	signed   *policyv1.SignedRelease
}

func newWitnessed(t *testing.T) *witnessed {
	t.Helper()
	w := &witnessed{registry: prometheus.NewRegistry()}
	w.server = serveWorld(t, fleettest.NewWorld(), fleet.Timing{}, func(c *fleet.Config) { c.Metrics = w.registry })
	w.agent = w.enrol(t)
	m := next(t, w.watch(t, &agentv1.WatchRequest{}))
	w.header, w.signed = release(t, m), m.GetSnapshot().GetRelease()
	return w
}

func (w *witnessed) counted(t *testing.T, result string) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// altered signs a release that is other than the one that is served.
func (w *witnessed) altered(t *testing.T, by signing.Current, change func(*policyv1.Release)) *policyv1.SignedRelease {
	t.Helper()
	header := proto.CloneOf(w.header)
	change(header)
	encoded, err := proto.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return &policyv1.SignedRelease{Release: encoded, Signature: by.Sign(digest.ReleaseMessage(encoded)), SigningKeyId: by.ID}
}

// confirmed says what the agent serves, and waits until that is confirmed.
func (w *witnessed) confirmed(t *testing.T, have *policyv1.SignedRelease) {
	t.Helper()
	messages, cut := w.watchUntil(t, &agentv1.WatchRequest{Have: position(w.header), Release: have, Capability: 4})
	defer cut()
	until(t, messages, func(m *agentv1.WatchResponse) bool { return isHeartbeat(m) && !m.GetHeartbeat().GetBehind() })
}

func TestPresentedReleasesThatProveNothing(t *testing.T) {
	w := newWitnessed(t)
	us, err := w.world.Current(t.Context(), uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	them, err := fleettest.NewWorld().Current(t.Context(), uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	later := func(r *policyv1.Release) { r.Version += 7 }
	posing := them
	posing.ID = us.ID
	genuine := w.altered(t, us, later)
	tampered := proto.CloneOf(genuine)
	tampered.Release = w.altered(t, us, func(r *policyv1.Release) { r.Version += 8 }).GetRelease()
	for name, presented := range map[string]*policyv1.SignedRelease{
		"garbage":                          {Release: []byte{0xff}, Signature: make([]byte, 64), SigningKeyId: us.ID},
		"no_signature":                     {Release: genuine.GetRelease(), SigningKeyId: us.ID},
		"another_organizations_key":        w.altered(t, them, later),
		"a_key_that_poses":                 w.altered(t, posing, later),
		"tampered_with":                    tampered,
		"of_another_organization":          w.altered(t, us, func(r *policyv1.Release) { r.OrganizationId = uuid.NewString(); r.Version += 7 }),
		"of_another_gateway":               w.altered(t, us, func(r *policyv1.Release) { r.GatewayId = uuid.NewString(); r.Version += 7 }),
		"a_later_epoch_that_is_not_signed": {Release: w.altered(t, us, func(r *policyv1.Release) { r.Epoch += 1e6 }).GetRelease(), Signature: make([]byte, 64), SigningKeyId: us.ID},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.counted(t, "refused")
			for range 3 {
				w.confirmed(t, presented)
			}
			if n := w.counted(t, "refused") - before; n != 3 {
				t.Errorf("%v of 3 were counted", n)
			}
		})
	}
	if epoch, _ := w.world.Epoch(t.Context(), w.world.State(1).OrganizationID); epoch != w.header.GetEpoch() || w.world.Witnessed() != 0 {
		t.Errorf("epoch %d after %d; the store was asked %d times", epoch, w.header.GetEpoch(), w.world.Witnessed())
	}
}

// What a key signed that was retired since may be of whoever it leaked to.
func TestARetiredKeyProvesNothing(t *testing.T) {
	w := newWitnessed(t)
	retired, err := w.world.Current(t.Context(), uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	messages := w.watch(t, &agentv1.WatchRequest{Have: position(w.header)})
	w.world.AnnounceKey()
	until(t, messages, isSnapshot)
	w.world.RetireKey()
	w.header = release(t, until(t, messages, isSnapshot))
	w.confirmed(t, w.altered(t, retired, func(r *policyv1.Release) { r.Epoch += 1000 }))
	if n := w.counted(t, "refused"); n != 1 || w.world.Witnessed() != 0 {
		t.Errorf("%v refused; the store was asked %d times", n, w.world.Witnessed())
	}
}

// Who has what the process knows costs the store nothing; what it does not know is looked for once.
func TestKnownReleasesCostNoRead(t *testing.T) {
	w := newWitnessed(t)
	first := w.signed
	for range 5 {
		w.confirmed(t, first)
	}
	messages := w.watch(t, &agentv1.WatchRequest{Have: position(w.header)})
	w.world.AddKey("another")
	m := until(t, messages, isSnapshot)
	w.header = release(t, m)
	w.confirmed(t, first)
	w.confirmed(t, m.GetSnapshot().GetRelease())
	if n := w.world.Witnessed(); n != 0 {
		t.Errorf("the store was asked %d times", n)
	}
	fresh := serveWorld(t, w.world, fleet.Timing{})
	w.agent = fresh.enrol(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { w.confirmed(t, first) })
	}
	all.Wait()
	if n := w.world.Witnessed(); n != 1 {
		t.Errorf("a process that did not know an older release asked for it %d times", n)
	}
	if epoch, _ := w.world.Epoch(t.Context(), w.world.State(1).OrganizationID); epoch != w.header.GetEpoch() {
		t.Errorf("an old release raised the epoch to %d", epoch)
	}
}

// A release that the store does not have, though it is genuine, is followed by one above it.
func TestALostReleaseRaisesTheEpoch(t *testing.T) {
	for name, change := range map[string]func(*policyv1.Release){
		"a_later_version": func(r *policyv1.Release) { r.Version += 7 },
		"a_later_epoch":   func(r *policyv1.Release) { r.Epoch += 1e6 },
		"other_content":   func(r *policyv1.Release) { r.Root = make([]byte, 32) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWitnessed(t)
			us, err := w.world.Current(t.Context(), uuid.Nil)
			if err != nil {
				t.Fatal(err)
			}
			lost := w.altered(t, us, change)
			header := &policyv1.Release{}
			if err := proto.Unmarshal(lost.GetRelease(), header); err != nil {
				t.Fatal(err)
			}
			other := w.watch(t, &agentv1.WatchRequest{Have: position(w.header), Release: w.signed})
			for m := range w.watch(t, &agentv1.WatchRequest{Have: position(header), Release: lost, Whole: true, Capability: 4}) {
				if isSnapshot(m) {
					if got := release(t, m); got.GetEpoch() <= header.GetEpoch() || !bytes.Equal(got.GetRoot(), w.header.GetRoot()) {
						t.Errorf("epoch %d came after %d", got.GetEpoch(), header.GetEpoch())
					}
					break
				}
				if isHeartbeat(m) && !m.GetHeartbeat().GetBehind() {
					t.Error("what was lost is confirmed")
				}
			}
			if got := release(t, until(t, other, isSnapshot)); got.GetEpoch() <= header.GetEpoch() {
				t.Errorf("another agent got epoch %d", got.GetEpoch())
			}
			if n := w.counted(t, "lost"); n != 1 {
				t.Errorf("%v counted", n)
			}
		})
	}
}
