package policy

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/weirhq/weir/controlplane/internal/key"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// MaxRevocations bounds a set; agents refuse more. Beyond it those longest ago are
// left out: the agents that heard of them remember them.
const MaxRevocations = 2 * MaxResources

// Revocations is the cumulative set of revoked keys in the state, and of secrets whose
// overlaps were ended before their time, ordered by (version, key id, hash). Of a revoked key
// the secret before a rotation is in it, whether its time is over or not: an agent's clock may be
// behind. Whoever signs it sets the epoch.
func Revocations(state State) *policyv1.Revocations {
	set := &policyv1.Revocations{
		OrganizationId: state.OrganizationID.String(),
		GatewayId:      state.Gateway.ID.String(),
	}
	for _, k := range slices.Concat(state.Keys, state.Lingering) {
		for _, ended := range k.Ended {
			set.Version = max(set.Version, ended.Version)
			set.Revocations = append(set.Revocations, &policyv1.Revocation{KeySha256: ended.SHA256, Version: ended.Version})
		}
		if k.RevokedAt.IsZero() {
			continue
		}
		set.Version = max(set.Version, k.RevokedVersion)
		set.Revocations = append(set.Revocations, revocation(k, k.SHA256))
		if k.Previous != nil {
			set.Revocations = append(set.Revocations, revocation(k, k.Previous.SHA256))
		}
	}
	slices.SortFunc(set.Revocations, func(a, b *policyv1.Revocation) int {
		return cmp.Or(cmp.Compare(a.GetVersion(), b.GetVersion()), cmp.Compare(a.GetKeyId(), b.GetKeyId()),
			bytes.Compare(a.GetKeySha256(), b.GetKeySha256()))
	})
	set.Revocations = set.Revocations[max(0, len(set.Revocations)-MaxRevocations):]
	return set
}

func revocation(k key.Key, sha256 []byte) *policyv1.Revocation {
	return &policyv1.Revocation{KeyId: k.ID.String(), KeySha256: sha256, Version: k.RevokedVersion}
}
