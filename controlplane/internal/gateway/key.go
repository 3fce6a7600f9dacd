package gateway

import (
	"bytes"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/proto/contract/seal"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// SetKey puts a key that credentials are sealed for in the place of the one before.
func (g Gateway) SetKey(public []byte) ([]eventlog.Change, error) {
	if _, err := seal.ParsePublicKey(public); err != nil {
		return nil, fault.Field("public_key", "want an X25519 public key of %d bytes; weir-agent gateway-key new makes one", seal.KeyBytes)
	}
	if bytes.Equal(public, g.PublicKey) {
		return nil, nil
	}
	return []eventlog.Change{{Subject: g.ID, Body: &eventv1.GatewayKeySet{PublicKey: public}}}, nil
}

// KeyFingerprint is of the key that credentials are sealed for; false: there is none.
func (g Gateway) KeyFingerprint() (seal.Fingerprint, bool) {
	public, err := seal.ParsePublicKey(g.PublicKey)
	if err != nil {
		return seal.Fingerprint{}, false
	}
	return public.Fingerprint(), true
}
