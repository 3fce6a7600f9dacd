package dataplane

import (
	"cmp"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	maxCredentials = 1000 // of a report
	maxReason      = 500  // characters
)

// credentials tells how the agent does with the credentials of a policy, and since
// when. It never tells a value.
type credentials struct {
	secrets *secret.Resolver
	opener  interface {
		Open(snapshot.Sealed) (secret.Value, error)
		Fault() error
	}
	fingerprinter func() secret.Fingerprinter

	mu   sync.Mutex
	seen map[string]seen // by provider
}

// seen is what was said of a provider since.
type seen struct {
	state  agentv1.CredentialStatus_State
	reason string
	since  time.Time
}

// report is nil without a policy.
func (c *credentials) report(policy *snapshot.Policy, now time.Time) *agentv1.CredentialReport {
	if policy == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	by := c.fingerprinter()
	report, was := &agentv1.CredentialReport{}, c.seen
	c.seen = make(map[string]seen, len(policy.Providers()))
	for _, provider := range policy.Providers() {
		status, value, since := c.status(provider)
		status.ProviderId = provider.ID
		if status.State != agentv1.CredentialStatus_STATE_OK {
			first := was[provider.ID]
			if first.state != status.State || first.reason != status.Reason {
				first = seen{state: status.State, reason: status.Reason, since: cmp.Or(since, now)}
			}
			c.seen[provider.ID] = first
			status.SinceMs = max(0, now.Sub(first.since).Milliseconds())
		}
		if status.Fingerprint = by.Of(provider.ID, value); status.Fingerprint != "" {
			status.FingerprintKey = by.KeyID()
		}
		report.Credentials = append(report.Credentials, status)
	}
	return bounded(report)
}

// status of one provider; since is zero where it is not known from elsewhere.
func (c *credentials) status(p *snapshot.Provider) (status *agentv1.CredentialStatus, value secret.Value, since time.Time) {
	is := func(state agentv1.CredentialStatus_State, reason string) *agentv1.CredentialStatus {
		return &agentv1.CredentialStatus{State: state, Reason: shortened(reason)}
	}
	switch {
	case p.Blocked != "":
		return is(agentv1.CredentialStatus_STATE_BLOCKED, p.Blocked), value, since
	case p.Sealed != nil:
		value, err := c.opener.Open(*p.Sealed)
		if err != nil {
			return is(agentv1.CredentialStatus_STATE_UNOPENED, err.Error()), value, since
		}
		if err := c.opener.Fault(); err != nil {
			return is(agentv1.CredentialStatus_STATE_STALE, err.Error()), value, since
		}
		return is(agentv1.CredentialStatus_STATE_OK, ""), value, since
	case p.CredentialRef == "":
		return is(agentv1.CredentialStatus_STATE_NONE, "the policy has none for this gateway"), value, since
	}
	source := c.secrets.Status(p.CredentialRef)
	switch {
	case source.Err == nil:
		return is(agentv1.CredentialStatus_STATE_OK, ""), source.Value, since
	case source.Value == (secret.Value{}):
		return is(agentv1.CredentialStatus_STATE_UNAVAILABLE, p.CredentialRef+": "+source.Err.Error()), value, source.Since
	}
	return is(agentv1.CredentialStatus_STATE_STALE, p.CredentialRef+": "+source.Err.Error()), source.Value, source.Since
}

// shortened is what a report has room for.
func shortened(reason string) string {
	if utf8.RuneCountInString(reason) <= maxReason {
		return reason
	}
	return string([]rune(reason)[:maxReason-1]) + "…"
}

// bounded puts those first that can't be used, and leaves out what has no room.
func bounded(report *agentv1.CredentialReport) *agentv1.CredentialReport {
	usable := func(c *agentv1.CredentialStatus) int {
		switch c.State {
		case agentv1.CredentialStatus_STATE_OK:
			return 2
		case agentv1.CredentialStatus_STATE_STALE:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(report.Credentials, func(a, b *agentv1.CredentialStatus) int { return cmp.Compare(usable(a), usable(b)) })
	if n := len(report.Credentials); n > maxCredentials {
		report.Credentials, report.LeftOut = report.Credentials[:maxCredentials], int32(n-maxCredentials)
	}
	return report
}
