package control

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
)

// Exported is a policy that another agent of the gateway can begin with.
type Exported struct {
	// File is in the format of a slot, with the latest revocations that the agent has.
	File                              []byte
	OrganizationID, GatewayID         string
	Epoch, Version, RevocationVersion int64
	Resources                         int
	// Keys are what verifies it, as ParseSigningKeys reads them.
	Keys []string
}

// Export takes the newest policy of an agent's state folder, whether the agent runs or
// not. It writes nothing.
func Export(stateDir string) (*Exported, error) {
	identity, ok, err := keyring{dir: filepath.Join(stateDir, "identity")}.load()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s is not the state folder of an agent that enrolled: it has no identity", stateDir)
	}
	valid, revoked, faults := slotsIn(filepath.Join(stateDir, "policy")).load(identity)
	if len(valid) == 0 {
		return nil, errors.Join(append(faults, fmt.Errorf("%s has no policy that can be used", stateDir))...)
	}
	file := valid[0].file
	file.revoked = larger(file.revoked, revoked)
	parts, err := encodeSlot(file)
	if err != nil {
		return nil, err
	}
	h := file.header
	return &Exported{
		File: bytes.Join(parts, nil), OrganizationID: h.GetOrganizationId(), GatewayID: h.GetGatewayId(),
		Epoch: h.GetEpoch(), Version: h.GetVersion(), RevocationVersion: file.revoked.version(),
		Resources: len(file.resources),
		Keys:      formatSigningKeys(identity.vouching(file)),
	}, nil
}

// vouching are the keys that the agent believes, and of the retired ones those that the
// file needs.
func (i *Identity) vouching(file *policyFile) map[string]ed25519.PublicKey {
	keys := maps.Clone(i.signers)
	for _, id := range file.signers() {
		if key, ok := i.former[id]; ok {
			keys[id] = key
		}
	}
	return keys
}
