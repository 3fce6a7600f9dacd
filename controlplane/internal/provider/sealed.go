package provider

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/proto/contract/seal"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Sealed is a credential that only the agents of one gateway can open.
type Sealed struct {
	GatewayID uuid.UUID `json:"gateway_id"`
	// Version is counted by who seals.
	Version int64 `json:"version"`
	// Bytes are ciphertext; empty in a Change: as they are.
	Bytes []byte `json:"sealed"`
}

// Recipient is the key that it was sealed for.
func (s Sealed) Recipient() seal.Fingerprint {
	recipient, _ := seal.Recipient(s.Bytes) // reseal let no other form in
	return recipient
}

// SealedFor is the credential of a gateway's agents; false: they have none.
func (s Settings) SealedFor(gatewayID uuid.UUID) (Sealed, bool) {
	for _, sealed := range s.Sealed {
		if sealed.GatewayID == gatewayID {
			return sealed, true
		}
	}
	return Sealed{}, false
}

// reseal is the list that an update asks for, in one order, with the bytes that it
// left out because they stay. What stays may be of another key: its gateway's agents
// may still have that.
func (p Provider) reseal(wanted Settings, gateways map[uuid.UUID]gateway.Gateway) ([]Sealed, error) {
	var whole []Sealed
	for i, s := range wanted.Sealed {
		field := fmt.Sprintf("sealed_credentials[%d]", i)
		if slices.ContainsFunc(whole, func(other Sealed) bool { return other.GatewayID == s.GatewayID }) {
			return nil, fault.Field(field+".gateway_id", "each gateway once")
		}
		was, there := p.SealedFor(s.GatewayID)
		var err error
		if there && s.Version == was.Version && (len(s.Bytes) == 0 || bytes.Equal(s.Bytes, was.Bytes)) {
			s, err = was, was.staysAt(p.BaseURL, wanted.BaseURL)
		} else if err = s.replaces(was, field); err == nil {
			err = s.opensFor(gateways, field)
		}
		if err != nil {
			return nil, err
		}
		whole = append(whole, s)
	}
	slices.SortFunc(whole, func(a, b Sealed) int { return bytes.Compare(a.GatewayID[:], b.GatewayID[:]) })
	return whole, nil
}

// staysAt says whether it opens at another base URL, too.
func (s Sealed) staysAt(was, wanted string) error {
	from, to := origin(was), origin(wanted)
	if from == to {
		return nil
	}
	return fault.Because(fault.Precondition, "sealed_for_other_origin",
		"base_url goes from %s to %s, and the credential of gateway %s is sealed for the first: put one in its place that is sealed "+
			"for the second, with a higher version, in the same update", from, to, s.GatewayID)
}

// replaces says whether it may be in the place of another; the zero one: of none.
func (s Sealed) replaces(was Sealed, field string) error {
	switch {
	case len(s.Bytes) == 0 && was.Version == 0:
		return fault.Field(field+".sealed", "nothing is sealed for this gateway yet; send what weir-agent seal printed")
	case len(s.Bytes) == 0:
		return fault.Field(field+".version", "without sealed it means what is there, and that has version %d", was.Version)
	case s.Version <= was.Version:
		return fault.Field(field+".version", "want one above %d, that of the credential in its place", was.Version)
	case bytes.Equal(s.Bytes, was.Bytes):
		return fault.Field(field+".sealed", "it is sealed for version %d and opens for no other; seal it anew", was.Version)
	}
	return nil
}

// opensFor says whether the gateway's key opens it, as far as that can be seen.
func (s Sealed) opensFor(gateways map[uuid.UUID]gateway.Gateway, field string) error {
	recipient, err := seal.Recipient(s.Bytes)
	if err != nil {
		return fault.Field(field+".sealed", "it is not what weir-agent seal prints")
	}
	g, known := gateways[s.GatewayID]
	if !known {
		return fault.Because(fault.NotFound, "gateway_not_found", "no gateway %s", s.GatewayID)
	}
	key, set := g.KeyFingerprint()
	if !set {
		return fault.Because(fault.Precondition, "gateway_key_missing",
			"gateway %q has no key to seal for; make one (weir-agent gateway-key new) and set it (GatewayService/SetGatewayKey)", g.Name)
	}
	if recipient != key {
		return fault.Because(fault.Precondition, "sealed_for_other_key",
			"%s is sealed for the key %s, and the key of gateway %q is %s; seal it anew for that", field, recipient, g.Name, key)
	}
	return nil
}

// origin of a base URL in the form of complete; empty of another.
func origin(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	text, _ := seal.Origin(u)
	return text
}

func toEventSealed(all []Sealed) []*eventv1.SealedCredential {
	var events []*eventv1.SealedCredential
	for _, s := range all {
		events = append(events, &eventv1.SealedCredential{GatewayId: s.GatewayID.String(), Version: s.Version, Sealed: s.Bytes})
	}
	return events
}

func fromEventSealed(events []*eventv1.SealedCredential) ([]Sealed, error) {
	var all []Sealed
	for _, e := range events {
		id, err := uuid.Parse(e.GetGatewayId())
		if err != nil {
			return nil, fmt.Errorf("sealed credential of gateway %q: %w", e.GetGatewayId(), err)
		}
		all = append(all, Sealed{GatewayID: id, Version: e.GetVersion(), Bytes: e.GetSealed()})
	}
	return all, nil
}
