package fleettest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fleet"
)

// Releases is fleet.Releases in memory; its zero value is empty.
type Releases struct {
	mu     sync.Mutex
	epochs map[uuid.UUID]int64
	latest map[[2]uuid.UUID]fleet.Release
	// Hold, if set, is called before a release is published.
	Hold func()
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
		r.latest = make(map[[2]uuid.UUID]fleet.Release)
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
	latest := r.latest[[2]uuid.UUID{d.OrganizationID, d.GatewayID}]
	if latest.Epoch != epoch {
		latest = fleet.Release{}
	}
	switch {
	case bytes.Equal(latest.Root, d.Root) && slices.Equal(latest.Believed, d.Believed):
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
	r.latest[[2]uuid.UUID{d.OrganizationID, d.GatewayID}] = latest
	return latest, nil
}
