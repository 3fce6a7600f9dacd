package fleet

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/rollout"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// ErrOutdated says that a newer version of the gateway's policy is released.
var ErrOutdated = errors.New("a newer policy is released")

// ErrFrozen says that nothing new is released, since the organization is suspended.
var ErrFrozen = errors.New("the organization is suspended")

// Release is a signed release as it is stored.
type Release struct {
	Epoch   int64
	Version int64
	Root    []byte
	// Believed are the ids of the keys that it tells agents to believe.
	Believed []string
	Signed   *policyv1.SignedRelease
}

// serves tells whether the release is what the draft asks for.
func (r Release) serves(d Draft) bool { return r.Version >= d.Floor && r.says(d.Root, d.Believed) }

// says tells whether the release has this content and tells agents to believe
// these keys.
func (r Release) says(root []byte, believed []string) bool {
	return bytes.Equal(r.Root, root) && slices.Equal(r.Believed, believed)
}

// Draft is a compiled policy that may become a release.
type Draft struct {
	OrganizationID uuid.UUID
	GatewayID      uuid.UUID
	Track          rollout.Track
	Version        int64
	// Floor is the oldest version that will do, whatever it says: agents that come from
	// the other track hold older ones.
	Floor    int64
	Root     []byte
	Believed []string
	// Frozen: only a release that says the same will do.
	Frozen bool
	// Seal signs the release for the epoch that the store decides.
	Seal func(epoch int64) (*policyv1.SignedRelease, error)
}

// Releases keeps every release once.
type Releases interface {
	// Epoch returns the organization's epoch, begun at its first use.
	Epoch(ctx context.Context, organization uuid.UUID) (int64, error)
	// Publish stores the draft unless the latest release of its track serves it, and
	// returns the release that holds now. The first writer wins. Other content at the
	// version of the latest release raises the epoch; an older version is ErrOutdated;
	// anything new of a frozen one is ErrFrozen.
	Publish(ctx context.Context, draft Draft) (Release, error)
	// Witness looks for a release that an agent serves. Where it is Lost, the store is older
	// than what agents serve, and the epoch was raised above that of the release just now.
	Witness(ctx context.Context, served Served) (Finding, error)
}

// Finding is what the store makes of a release that an agent serves.
type Finding string

const (
	// Known: it is there, or may have been pruned.
	Known Finding = "known"
	// Over is its epoch: whoever has it follows what is released in the present one.
	Over Finding = "over"
	// Lost: it was there, and is no more.
	Lost Finding = "lost"
)

// Served is a release that an agent has: the organization signed it for the gateway.
type Served struct {
	OrganizationID, GatewayID uuid.UUID
	Epoch, Version            int64
	Root                      []byte
}

// newer tells whether position a comes after b.
func newer(aEpoch, aVersion, bEpoch, bVersion int64) bool {
	return aEpoch > bEpoch || aEpoch == bEpoch && aVersion > bVersion
}
