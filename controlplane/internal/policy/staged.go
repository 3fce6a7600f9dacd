package policy

import (
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
)

// WithCredentialsOf returns past providers with the sealed credentials of now: those
// before may have been replaced for a reason. One that had a reference keeps it, and so
// does one that is elsewhere by now, or gone: what is sealed is sealed for one place.
func WithCredentialsOf(past, now []provider.Provider) []provider.Provider {
	present := make(map[uuid.UUID]provider.Provider, len(now))
	for _, p := range now {
		present[p.ID] = p
	}
	mended := make([]provider.Provider, len(past))
	for i, p := range past {
		if is := present[p.ID]; p.CredentialRef == "" && p.BaseURL == is.BaseURL {
			p.Sealed, p.CredentialRef = is.Sealed, is.CredentialRef
		}
		mended[i] = p
	}
	return mended
}

// known returns the key with those of its routes that there are; none: it is for
// routes, and none of them is there.
func known(k key.Key, routes map[uuid.UUID]bool) (mended key.Key, none bool) {
	if len(k.RouteIDs) == 0 || !k.RevokedAt.IsZero() {
		return k, false // an agent asks a revoked key for no route
	}
	var there []uuid.UUID
	for _, id := range k.RouteIDs {
		if routes[id] {
			there = append(there, id)
		}
	}
	k.RouteIDs = there
	return k, len(there) == 0
}

func idsOf(routes []route.Route) map[uuid.UUID]bool {
	ids := make(map[uuid.UUID]bool, len(routes))
	for _, r := range routes {
		ids[r.ID] = true
	}
	return ids
}
