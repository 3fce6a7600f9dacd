package policy

import (
	"cmp"
	"slices"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Revocations is the cumulative set of revoked keys in the state, ordered by
// (version, key id). Whoever signs it sets the epoch.
func Revocations(state State) *policyv1.Revocations {
	set := &policyv1.Revocations{
		OrganizationId: state.OrganizationID.String(),
		GatewayId:      state.Gateway.ID.String(),
	}
	for _, k := range state.Keys {
		if k.RevokedAt.IsZero() {
			continue
		}
		set.Version = max(set.Version, k.RevokedVersion)
		set.Revocations = append(set.Revocations, &policyv1.Revocation{
			KeyId:     k.ID.String(),
			KeySha256: k.SHA256,
			Version:   k.RevokedVersion,
		})
	}
	slices.SortFunc(set.Revocations, func(a, b *policyv1.Revocation) int {
		return cmp.Or(cmp.Compare(a.GetVersion(), b.GetVersion()), cmp.Compare(a.GetKeyId(), b.GetKeyId()))
	})
	return set
}
