package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/proto/contract/digest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// RevokedFor is how long a revoked key stays in policies.
const RevokedFor = 90 * 24 * time.Hour

// Compiled is a policy as it was compiled at one version of the log. It never
// changes; the one that follows it shares with it what did not change.
type Compiled struct {
	Version           int64
	Root              []byte
	MinimumCapability int32
	// Bytes is the size of all resources.
	Bytes int

	items   []*item   // in the order of (kind, id)
	revoked []key.Key // and those that live, of which a secret is
}

// item is a resource with what is known of it. Compiled policies share it, so that
// two pointers are the same where nothing changed.
type item struct {
	resource   *policyv1.Resource
	digest     digest.Resource
	bytes      int
	capability int32
}

func (i *item) name() Name { return Name{Kind: i.digest.Kind, ID: i.digest.ID} }

func (n Name) compare(other Name) int {
	return cmp.Or(cmp.Compare(n.Kind, other.Kind), cmp.Compare(n.ID, other.ID))
}

// CompileNext compiles the state after what was compiled before; nil: nothing was. Where
// the state says only what changed since, the rest is taken from before, and
// nothing else is encoded or hashed. The outcome is the same, byte for byte.
func CompileNext(before *Compiled, state State, builtin *policyv1.PriceBook) (*Compiled, error) {
	if state.Since != 0 && (before == nil || before.Version != state.Since) {
		return nil, fmt.Errorf("compile version %d: it says what changed since version %d, which is not here", state.Version, state.Since)
	}
	if count := 2 + len(state.Providers) + len(state.Routes) + len(state.Keys) + len(state.Budgets) + len(state.Limits) + len(state.Projects); count > MaxResources {
		return nil, fmt.Errorf("%w: %d resources, at most %d", ErrTooLarge, count, MaxResources)
	}
	c := compiler{}
	if c.all(state, builtin); c.err != nil {
		return nil, c.err
	}
	slices.SortFunc(c.items, func(a, b *item) int { return a.name().compare(b.name()) })
	next := &Compiled{Version: state.Version, revoked: revokedKeys(before, state), items: merge(before, state, c.items)}
	return next, next.sum()
}

// merge puts what was compiled anew over what was there before. Of a whole state
// nothing of before stays, but what is the same is shared.
func merge(before *Compiled, state State, fresh []*item) []*item {
	if before == nil {
		return fresh
	}
	left := state.leaves()
	merged := make([]*item, 0, len(before.items)+len(fresh))
	for is, was := range pairs(fresh, before.items) {
		switch {
		case is != nil && was != nil && is.digest == was.digest && is.capability == was.capability:
			merged = append(merged, was)
		case is != nil:
			merged = append(merged, is)
		case !left(was.name()):
			merged = append(merged, was)
		}
	}
	return merged
}

// leaves tells of what the state does not have whether it is no more. There is one price
// book; a new one has a new name.
func (s State) leaves() func(Name) bool {
	gone := make(map[Name]bool, len(s.Gone))
	for _, name := range s.Gone {
		gone[name] = true
	}
	return func(name Name) bool {
		return s.Since == 0 || gone[name] || name.Kind == KindPriceBook && s.PriceOverridesVersion > s.Since
	}
}

// pairs walks two ordered slices side by side; nil stands for what only the other has.
func pairs(a, b []*item) func(yield func(a, b *item) bool) {
	return func(yield func(a, b *item) bool) {
		for len(a) > 0 || len(b) > 0 {
			var left, right *item
			order := 0
			if len(a) == 0 {
				order = 1
			} else if len(b) == 0 {
				order = -1
			} else if a[0] != b[0] {
				order = a[0].name().compare(b[0].name())
			}
			if order <= 0 {
				left, a = a[0], a[1:]
			}
			if order >= 0 {
				right, b = b[0], b[1:]
			}
			if !yield(left, right) {
				return
			}
		}
	}
}

// sum adds up what the items are together.
func (c *Compiled) sum() error {
	if len(c.items) > MaxResources {
		return fmt.Errorf("%w: %d resources, at most %d", ErrTooLarge, len(c.items), MaxResources)
	}
	identities := make([]digest.Resource, len(c.items))
	for i, item := range c.items {
		identities[i] = item.digest
		c.MinimumCapability = max(c.MinimumCapability, item.capability)
		c.Bytes += item.bytes
	}
	if c.Bytes > MaxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, c.Bytes, MaxBytes)
	}
	root := digest.Root(identities)
	c.Root = root[:]
	return nil
}

// Count of the resources.
func (c *Compiled) Count() int { return len(c.items) }

// Resources in the order of (kind, id).
func (c *Compiled) Resources() []*policyv1.Resource {
	resources := make([]*policyv1.Resource, len(c.items))
	for i, item := range c.items {
		resources[i] = item.resource
	}
	return resources
}

// Since returns which version to ask for changes after; 0: ask for the whole state,
// since a revoked key's time in policies is over, which is no change of the log.
func (c *Compiled) Since(now time.Time) int64 {
	if c == nil {
		return 0
	}
	for _, k := range c.revoked {
		if !k.RevokedAt.IsZero() && now.Sub(k.RevokedAt) >= RevokedFor {
			return 0
		}
	}
	return c.Version
}

// WithRevoked returns the state with the keys that it left out since they did not change
// and of which something is revoked: what Revocations needs.
func (c *Compiled) WithRevoked(state State) State {
	if c == nil || state.Since == 0 {
		return state
	}
	told := make(map[string]bool, len(state.Keys)+len(state.Gone))
	for _, k := range state.Keys {
		told[k.ID.String()] = true
	}
	for _, name := range state.Gone {
		told[name.ID] = true
	}
	state.Keys = slices.Clone(state.Keys)
	for _, k := range c.revoked {
		if !told[k.ID.String()] {
			state.Keys = append(state.Keys, k)
		}
	}
	return state
}

func revokedKeys(before *Compiled, state State) (revoked []key.Key) {
	for _, k := range before.WithRevoked(state).Keys {
		if !k.RevokedAt.IsZero() || len(k.Ended) > 0 {
			revoked = append(revoked, k)
		}
	}
	return revoked
}
