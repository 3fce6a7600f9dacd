package fleettest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/rollout"
)

// Releases is fleet.Releases in memory; its zero value is empty.
type Releases struct {
	mu        sync.Mutex
	epochs    map[uuid.UUID]int64
	latest    map[place]fleet.Release
	served    map[string][]fleet.Served // all there ever were, by gateway
	witnessed int
	// Hold, if set, is called before a release is published.
	Hold func()
}

type place struct {
	organization, gateway uuid.UUID
	track                 rollout.Track
}

var _ fleet.Releases = (*Releases)(nil)

// Epoch implements fleet.Releases.
func (r *Releases) Epoch(_ context.Context, organization uuid.UUID) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epoch(organization), nil
}

func (r *Releases) epoch(organization uuid.UUID) int64 {
	if r.epochs == nil {
		r.epochs = make(map[uuid.UUID]int64)
		r.latest = make(map[place]fleet.Release)
		r.served = make(map[string][]fleet.Served)
	}
	if r.epochs[organization] == 0 {
		r.epochs[organization] = time.Now().Unix()
	}
	return r.epochs[organization]
}

// Publish implements fleet.Releases.
func (r *Releases) Publish(_ context.Context, d fleet.Draft) (fleet.Release, error) {
	if r.Hold != nil {
		r.Hold()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	epoch := r.epoch(d.OrganizationID)
	at := place{d.OrganizationID, d.GatewayID, d.Track}
	latest := r.latest[at]
	if latest.Epoch != epoch {
		latest = fleet.Release{}
	}
	switch {
	case latest.Version >= d.Floor && bytes.Equal(latest.Root, d.Root) && slices.Equal(latest.Believed, d.Believed):
		return latest, nil
	case d.Frozen:
		return fleet.Release{}, fleet.ErrFrozen
	case latest.Epoch == epoch && latest.Version > d.Version:
		return fleet.Release{}, fleet.ErrOutdated
	case latest.Epoch == epoch && latest.Version == d.Version:
		epoch++
		r.epochs[d.OrganizationID] = epoch
	}
	signed, err := d.Seal(epoch)
	if err != nil {
		return fleet.Release{}, err
	}
	latest = fleet.Release{Epoch: epoch, Version: d.Version, Root: d.Root, Believed: d.Believed, Signed: signed}
	r.latest[at] = latest
	of := d.GatewayID.String()
	r.served[of] = append(r.served[of], fleet.Served{
		OrganizationID: d.OrganizationID, GatewayID: d.GatewayID, Epoch: epoch, Version: d.Version, Root: d.Root,
	})
	return latest, nil
}

// Witness implements fleet.Releases.
func (r *Releases) Witness(_ context.Context, s fleet.Served) (fleet.Finding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.witnessed++
	epoch := r.epoch(s.OrganizationID)
	older, some := false, false
	for _, has := range r.served[s.GatewayID.String()] {
		if has.OrganizationID != s.OrganizationID || has.Epoch != s.Epoch {
			continue
		}
		if has.Version == s.Version && bytes.Equal(has.Root, s.Root) {
			return fleet.Known, nil
		}
		some, older = true, older || has.Version <= s.Version
	}
	switch {
	case s.Epoch < epoch:
		return fleet.Over, nil
	case s.Epoch == epoch && some && !older:
		return fleet.Known, nil
	}
	r.epochs[s.OrganizationID] = max(epoch+1, s.Epoch+1, time.Now().Unix())
	return fleet.Lost, nil
}

// Witnessed is how often a release was looked for.
func (r *Releases) Witnessed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.witnessed
}
