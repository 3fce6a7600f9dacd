package control

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// applySnapshot serves a newer policy or says why not. errUntrusted means that
// the stream lies; any other refusal is of a policy that is genuine.
func (c *Client) applySnapshot(s *agentv1.Snapshot) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	file, err := verifySnapshot(c.identity.Load(), s)
	return c.take(file, err)
}

// take serves a verified policy; err is why it is not one.
func (c *Client) take(file *policyFile, err error) error {
	if err == nil {
		err = c.admit(file)
	}
	if err != nil {
		return c.turnAway(file, err)
	}
	if c.serving != nil {
		file.revoked = larger(c.serving.revoked, file.revoked)
	}
	file.revoked = larger(file.revoked, c.pending)
	if err := c.swap(file, func() error { return c.slots.write(file) }); err != nil {
		c.reject(file.header, err)
		return c.turnAway(file, err)
	}
	c.refused(nil)
	c.accept()
	c.pending, c.misfits = nil, 0
	c.pin(file)
	c.confirm()
	c.config.Log.Info("policy applied", "epoch", file.header.GetEpoch(), "version", file.header.GetVersion(), "resources", len(file.resources))
	c.reportNow()
	return nil
}

// turnAway says why a policy is not served; one that is served already is fine.
func (c *Client) turnAway(file *policyFile, err error) error {
	if errors.Is(err, errPresent) {
		c.confirm()
		return nil
	}
	if errors.Is(err, errTooLarge) {
		c.reject(file.header, err)
	}
	c.refused(err)
	c.config.Log.Error("policy refused, the old one serves on", "version", file.version(), "reasons", c.reasons)
	c.reportNow()
	return err
}

func (p *policyFile) version() int64 {
	if p == nil {
		return 0
	}
	return p.header.GetVersion()
}

// verifySnapshot returns the policy without its resources where they are not its own.
func verifySnapshot(identity *Identity, s *agentv1.Snapshot) (*policyFile, error) {
	file, err := verifyHead(identity, s)
	if err != nil {
		return nil, err
	}
	if err := content(file.header, s.GetResources()); err != nil {
		return file, err
	}
	file.resources = s.GetResources()
	return file, nil
}

// verifyHead is verifySnapshot but for the resources.
func verifyHead(identity *Identity, s *agentv1.Snapshot) (*policyFile, error) {
	header, err := identity.release(s.GetRelease())
	if err != nil {
		return nil, err
	}
	if _, err := pins(s.GetRelease(), header); err != nil {
		return nil, err
	}
	revoked, err := identity.revocations(s.GetRevocations())
	if err != nil {
		return nil, err
	}
	return &policyFile{header: header, release: s.GetRelease(), revoked: revoked}, nil
}

var (
	errPresent = errors.New("served already")
	errOlder   = errors.New("older than the policy that is served")
)

// admit lets newer policies pass that this build can serve.
func (c *Client) admit(file *policyFile) error {
	h := file.header
	if c.serving != nil {
		now := c.serving.header
		if h.GetEpoch() == now.GetEpoch() && h.GetVersion() == now.GetVersion() && bytes.Equal(h.GetRoot(), now.GetRoot()) {
			return errPresent
		}
		if !newer(h.GetEpoch(), h.GetVersion(), now.GetEpoch(), now.GetVersion()) {
			return fmt.Errorf("%w: epoch %d version %d came, epoch %d version %d is served",
				errOlder, h.GetEpoch(), h.GetVersion(), now.GetEpoch(), now.GetVersion())
		}
	}
	err := servable(h)
	if err != nil {
		c.reject(h, err)
	}
	return err
}

// servable says why this build can't serve a policy: it would leave out what it
// does not know, such as whom a route is for.
func servable(h *policyv1.Release) error {
	if need := h.GetMinimumCapability(); need > Capability {
		return fmt.Errorf("needs an agent of capability %d, this one has %d: upgrade it", need, Capability)
	}
	return nil
}

// swap compiles, stores, then serves; what the policy takes away is stored first. A policy
// that can't be stored is served all the same: an old one would let revoked keys in.
func (c *Client) swap(file *policyFile, store func() error) error {
	serve, err := c.compile(file)
	if err != nil {
		return err
	}
	c.remember(takenBetween(c.serving, file))
	if store != nil {
		err := store()
		if c.unstored = err != nil; c.unstored {
			c.config.Log.Error("policy is served but not stored; a restart would serve an older one", "error", err)
		}
	}
	if err := recovered(func() error { serve(); return nil }); err != nil {
		return err
	}
	if c.serving == nil || c.serving.revoked != file.revoked {
		c.inForce = time.Now()
	}
	c.serving, c.ignored = file, ignored(file.resources)
	return nil
}

// maxIgnored is how many kinds a report names.
const maxIgnored = 20

// ignored are the kinds that a policy has and this build leaves unread, in order.
func ignored(resources []*policyv1.Resource) []string {
	kinds := make(map[string]bool)
	for _, r := range resources {
		if len(kinds) < maxIgnored && !snapshot.Knows(r.GetKind()) {
			kinds[r.GetKind()] = true
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}

func (c *Client) compile(file *policyFile) (serve func(), err error) {
	err = recovered(func() error {
		serve, err = c.config.Compile(file.header, file.resources, c.memory.over(file.header, file.revoked.set))
		return err
	})
	return serve, err
}

// confirm notes that the control plane has nothing newer.
func (c *Client) confirm() {
	if err := c.keepPins(); err != nil {
		c.config.Log.Error("the next start may not believe the newest policy", "error", err)
	}
	if c.serving == nil || len(c.reasons) > 0 {
		return
	}
	now := time.Now()
	c.fresh.Store(now.UnixMilli())
	if c.unstored {
		return // what is on disk is another one, which nobody confirmed
	}
	if err := c.slots.touch(now); err != nil {
		c.config.Log.Warn("freshness is not stored", "error", err)
	}
}

// recovered turns a panic into an error: a policy must not end the agent.
func recovered(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}

// refused notes why what came is not served; nil: it is.
func (c *Client) refused(err error) {
	if err != nil {
		c.refusals++
	}
	c.reasons = reasonsOf(err)
	c.untold = c.reasons
}

func reasonsOf(err error) []string {
	if err == nil {
		return nil
	}
	reasons := []string{err.Error()}
	if invalid := (*snapshot.InvalidError)(nil); errors.As(err, &invalid) {
		reasons = slices.Clone(invalid.Reasons)
	}
	for n, reason := range reasons {
		if len(reason) > maxReasonBytes { // it quotes what the policy says
			reason = reason[:maxReasonBytes] + "…"
		}
		reasons[n] = strings.ToValidUTF8(reason, "�")
	}
	return reasons
}

// maxReasonBytes of one reason: a report stays small whatever a policy is.
const maxReasonBytes = 500
