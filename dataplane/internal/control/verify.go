package control

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/digest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// maxRevocations: the control plane leaves out those of longest ago beyond it.
const maxRevocations = 2 * snapshot.MaxResources

// errUntrusted marks what nobody with the organization's key has said, or not
// like this. It is not held against the release it pretends to be.
var errUntrusted = errors.New("not to be trusted")

func untrusted(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUntrusted, fmt.Sprintf(format, args...))
}

// release checks who signed a header and for whom.
func (i *Identity) release(signed *policyv1.SignedRelease) (*policyv1.Release, error) {
	signer, ok := i.signers[signed.GetSigningKeyId()]
	if !ok {
		return nil, untrusted("release: signing key %q is not pinned", signed.GetSigningKeyId())
	}
	if !ed25519.Verify(signer, digest.ReleaseMessage(signed.GetRelease()), signed.GetSignature()) {
		return nil, untrusted("release: wrong signature")
	}
	release := &policyv1.Release{}
	if err := proto.Unmarshal(signed.GetRelease(), release); err != nil {
		return nil, untrusted("release: %v", err)
	}
	if err := i.addressed(release.GetOrganizationId(), release.GetGatewayId()); err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	return release, nil
}

// revocations checks who signed a set and for whom; an absent set is empty.
func (i *Identity) revocations(signed *policyv1.SignedRevocations) (*signedSet, error) {
	if signed == nil {
		return &signedSet{set: &policyv1.Revocations{}}, nil
	}
	signer, ok := i.signers[signed.GetSigningKeyId()]
	if !ok {
		return nil, untrusted("revocations: signing key %q is not pinned", signed.GetSigningKeyId())
	}
	if !ed25519.Verify(signer, digest.RevocationsMessage(signed.GetRevocations()), signed.GetSignature()) {
		return nil, untrusted("revocations: wrong signature")
	}
	set := &policyv1.Revocations{}
	if err := proto.Unmarshal(signed.GetRevocations(), set); err != nil {
		return nil, untrusted("revocations: %v", err)
	}
	if err := i.addressed(set.GetOrganizationId(), set.GetGatewayId()); err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	if n := len(set.GetRevocations()); n > maxRevocations {
		return nil, untrusted("revocations: %d, at most %d", n, maxRevocations)
	}
	return &signedSet{set: set, signed: signed}, nil
}

func (i *Identity) addressed(organization, gateway string) error {
	if organization != i.OrganizationID {
		return untrusted("for organization %q, this agent is of another", organization)
	}
	if gateway != i.GatewayID {
		return untrusted("for gateway %q, this agent is of another", gateway)
	}
	return nil
}

// errTooLarge marks what is genuine and can't be served: it is held against the release.
var errTooLarge = errors.New("too large")

// content checks that the resources are those of the release, all and no others, and
// not more than an agent takes.
func content(release *policyv1.Release, resources []*policyv1.Resource) error {
	if int(release.GetResourceCount()) != len(resources) {
		return untrusted("the release counts %d resources, %d came", release.GetResourceCount(), len(resources))
	}
	if len(resources) > snapshot.MaxResources { // the release itself says so
		return fmt.Errorf("%w: %d resources, at most %d are accepted", errTooLarge, len(resources), snapshot.MaxResources)
	}
	size := 0
	type name struct{ kind, id string }
	seen := make(map[name]bool, len(resources))
	identities := make([]digest.Resource, len(resources))
	for n, r := range resources {
		size += proto.Size(r)
		this := name{r.GetKind(), r.GetId()}
		if seen[this] {
			return untrusted("%s %q came twice", this.kind, this.id)
		}
		seen[this] = true
		identities[n] = digest.Of(r.GetKind(), r.GetId(), r.GetBody())
	}
	if root := digest.Root(identities); !bytes.Equal(root[:], release.GetRoot()) {
		return untrusted("the resources don't have the release's root")
	}
	if size > snapshot.MaxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d are accepted", errTooLarge, size, snapshot.MaxBytes)
	}
	return nil
}

// signedSet is a verified set of revocations; signed is nil for the empty one.
type signedSet struct {
	set    *policyv1.Revocations
	signed *policyv1.SignedRevocations
}

func (s *signedSet) epoch() int64   { return s.set.GetEpoch() }
func (s *signedSet) version() int64 { return s.set.GetVersion() }

// larger returns the later of two sets; either may be nil.
func larger(a, b *signedSet) *signedSet {
	if a == nil || b != nil && newer(b.epoch(), b.version(), a.epoch(), a.version()) {
		return b
	}
	return a
}

// newer tells whether position a comes after b.
func newer(aEpoch, aVersion, bEpoch, bVersion int64) bool {
	return aEpoch > bEpoch || aEpoch == bEpoch && aVersion > bVersion
}
