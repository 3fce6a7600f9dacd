package fleet

import (
	"context"
	"crypto/ed25519"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/signing"
	"github.com/weirhq/weir/proto/contract/digest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	// maxWitnessed are how many releases a feed remembers to be known.
	maxWitnessed = 256
	// maxDoubts are how many wait to be looked for in the store.
	maxDoubts = 16
	// refusalEvery is how often a feed says in the log that it was lied to.
	refusalEvery = time.Minute
)

// witnesses are the releases that agents say they serve. One that is genuine and not in the
// store is proof that the store was put back to what it was before.
type witnesses struct {
	wake chan struct{}

	mu       sync.Mutex
	believed []signing.PublicKey // nil: not known yet
	known    map[position]bool
	over     int64 // epochs up to this one are
	doubts   map[position]Served
	refused  time.Time
}

func newWitnesses() *witnesses {
	return &witnesses{wake: make(chan struct{}, 1), known: make(map[position]bool), doubts: make(map[position]Served)}
}

// believe is told which keys sign now or next. What a retired key signed is no proof: it was
// retired after that, so a store that knows it as retired has all of it; and the key may have leaked.
func (w *witnesses) believe(keys []signing.PublicKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.believed = keys
}

// end an epoch: what is of it waits for a release of the present one.
func (w *witnesses) end(at position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = max(w.over, at.epoch)
	delete(w.doubts, at)
}

func (w *witnesses) know(at position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.known) >= maxWitnessed {
		clear(w.known)
	}
	w.known[at] = true
	delete(w.doubts, at)
}

// forget has a release looked for though it was known.
func (w *witnesses) forget(at position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.known, at)
}

// doubt has a release looked for; one more than there is room for waits for its next turn.
func (w *witnesses) doubt(at position, served Served) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known[at] || len(w.doubts) >= maxDoubts {
		return
	}
	w.doubts[at] = served
	signal(w.wake)
}

// stand tells what is known of a release before anybody looks at its signature: that of one
// that there is no room for would be looked at again at each turn.
func (w *witnesses) stand(at position) (believed []signing.PublicKey, known, waits bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, waits = w.doubts[at]
	return w.believed, w.known[at], waits || at.epoch <= w.over || len(w.doubts) >= maxDoubts
}

func (w *witnesses) waiting() map[position]Served {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.doubts)
}

// saysSo tells whether it is time to say again that somebody lies.
func (w *witnesses) saysSo() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	due := time.Since(w.refused) >= refusalEvery
	if due {
		w.refused = time.Now()
	}
	return due
}

// hear takes the release that an agent serves; settled is false while it is looked for, and
// until what comes after a lost one is released. What the feed knows costs no signature, and what nobody
// signed costs the store nothing.
func (f *feed) hear(signed *policyv1.SignedRelease) (settled bool) {
	header := &policyv1.Release{}
	if err := proto.Unmarshal(signed.GetRelease(), header); err != nil {
		f.refuse(err)
		return true
	}
	at := position{header.GetEpoch(), header.GetVersion(), string(header.GetRoot())}
	believed, known, waits := f.witnesses.stand(at)
	_, latest := f.current()
	switch {
	case known || latest != nil && (at == latest.position || at.epoch < latest.epoch):
		return true
	case believed == nil || waits:
		return false
	}
	if err := f.genuine(signed, header, believed); err != nil {
		f.refuse(err)
		return true
	}
	f.witnesses.doubt(at, f.served(at))
	return false
}

func (f *feed) served(at position) Served {
	return Served{OrganizationID: f.organization, GatewayID: f.gateway, Epoch: at.epoch, Version: at.version, Root: []byte(at.root)}
}

// genuine says why a header is not what the organization signed for the gateway.
func (f *feed) genuine(signed *policyv1.SignedRelease, header *policyv1.Release, believed []signing.PublicKey) error {
	at := slices.IndexFunc(believed, func(k signing.PublicKey) bool { return k.ID == signed.GetSigningKeyId() })
	switch {
	case at < 0:
		return errors.New("its signing key neither signs nor will")
	case !ed25519.Verify(believed[at].Key, digest.ReleaseMessage(signed.GetRelease()), signed.GetSignature()):
		return errors.New("wrong signature")
	case header.GetOrganizationId() != f.organization.String() || header.GetGatewayId() != f.gateway.String():
		return errors.New("it is for another gateway")
	}
	return nil
}

func (f *feed) refuse(err error) {
	f.config.metrics.witnessed.WithLabelValues("refused").Inc()
	if f.witnesses.saysSo() {
		f.log.Warn("an agent presents a release that is not to be believed", "error", err)
	}
}

// examine looks in the store for the releases that are in doubt, a few at a time.
func (f *feed) examine(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.witnesses.wake:
		}
		pause := f.config.Timing.Coalesce
		for at, served := range f.witnesses.waiting() {
			found, err := f.config.Releases.Witness(ctx, served)
			if err != nil {
				if ctx.Err() == nil {
					f.log.Error("it is not known whether the store is as it was", "error", err)
				}
				pause = f.config.Timing.Retry
				signal(f.witnesses.wake)
				continue
			}
			f.settle(at, found)
		}
		f.wakeWaiting()
		if !sleep(ctx, pause) {
			return
		}
	}
}

// settle ends a doubt.
func (f *feed) settle(at position, found Finding) {
	f.config.metrics.witnessed.WithLabelValues(string(found)).Inc()
	if found == Lost {
		f.log.Warn("an agent serves a release that the store lost: it was put back to what it was before. The policy epoch is raised, so that agents follow",
			"epoch", at.epoch, "version", at.version)
	}
	if found == Known {
		f.witnesses.know(at)
	} else {
		f.witnesses.end(at)
		f.changed()
	}
}

// wakeWaiting has those look again who wait for what was in doubt, all of a round together:
// they are among all that are connected.
func (f *feed) wakeWaiting() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wakeAll()
}
