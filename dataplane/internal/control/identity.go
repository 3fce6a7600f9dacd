package control

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Identity is who this agent is and whose signatures it believes.
type Identity struct {
	AgentID        string
	OrganizationID string
	GatewayID      string
	// ControlPlane is the URL it enrolled at.
	ControlPlane string

	key ed25519.PrivateKey
	// signers are believed; former ones only for what is on disk already.
	signers, former map[string]ed25519.PublicKey
}

// Sign makes an Ed25519 signature with the agent's own key.
func (i Identity) Sign(message []byte) []byte { return ed25519.Sign(i.key, message) }

// PrivateKey signs batches of usage; it stays in this process.
func (i Identity) PrivateKey() ed25519.PrivateKey { return i.key }

// PublicKey is what the control plane registered.
func (i Identity) PublicKey() ed25519.PublicKey { return i.key.Public().(ed25519.PublicKey) }

// keyring keeps the identity in a folder: key is the private key's seed,
// identity.json the rest, both mode 0600.
type keyring struct{ dir string }

type storedIdentity struct {
	AgentID        string            `json:"agent_id"`
	OrganizationID string            `json:"organization_id"`
	GatewayID      string            `json:"gateway_id"`
	ControlPlane   string            `json:"control_plane"`
	SigningKeys    map[string][]byte `json:"signing_keys"`
	// FormerKeys verify policies that were stored before they were retired.
	FormerKeys map[string][]byte `json:"former_signing_keys,omitempty"`
}

func (k keyring) keyPath() string      { return filepath.Join(k.dir, "key") }
func (k keyring) identityPath() string { return filepath.Join(k.dir, "identity.json") }

// load returns false where the agent never enrolled. A damaged identity is an
// error: it is not replaced silently.
func (k keyring) load() (*Identity, bool, error) {
	content, err := os.ReadFile(k.identityPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read identity: %w", err)
	}
	var stored storedIdentity
	if err := json.Unmarshal(content, &stored); err != nil {
		return nil, false, fmt.Errorf("identity %s is damaged; restore it, or remove the folder and enrol anew: %w", k.identityPath(), err)
	}
	key, err := k.readKey()
	if err != nil {
		return nil, false, err
	}
	identity := &Identity{
		AgentID:        stored.AgentID,
		OrganizationID: stored.OrganizationID,
		GatewayID:      stored.GatewayID,
		ControlPlane:   stored.ControlPlane,
		key:            key,
	}
	if identity.signers, err = k.publicKeys(stored.SigningKeys); err != nil {
		return nil, false, err
	}
	identity.former, err = k.publicKeys(stored.FormerKeys)
	return identity, err == nil, err
}

func (k keyring) publicKeys(stored map[string][]byte) (map[string]ed25519.PublicKey, error) {
	keys := make(map[string]ed25519.PublicKey, len(stored))
	for id, key := range stored {
		if len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("identity %s is damaged: signing key %q has %d bytes", k.identityPath(), id, len(key))
		}
		keys[id] = key
	}
	return keys, nil
}

// save writes the private key before what names it.
func (k keyring) save(i *Identity) error {
	stored := storedIdentity{
		AgentID:        i.AgentID,
		OrganizationID: i.OrganizationID,
		GatewayID:      i.GatewayID,
		ControlPlane:   i.ControlPlane,
		SigningKeys:    make(map[string][]byte, len(i.signers)),
		FormerKeys:     make(map[string][]byte, len(i.former)),
	}
	for id, signer := range i.signers {
		stored.SigningKeys[id] = signer
	}
	for id, former := range i.former {
		stored.FormerKeys[id] = former
	}
	content, err := json.MarshalIndent(stored, "", "  ")
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	return writeFile(k.identityPath(), append(content, '\n'))
}

// discard drops the key of an identity that is not taken: it enrolled somewhere else.
func (k keyring) discard() error {
	if err := os.Remove(k.keyPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("discard the agent's key: %w", err)
	}
	return nil
}

// privateKey returns the key with which the agent enrols: the same for every
// attempt, so that a lost answer does not use a token up.
func (k keyring) privateKey() (ed25519.PrivateKey, error) {
	key, err := k.readKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make identity folder: %w", err)
	}
	if err := removeLeftovers(k.dir); err != nil {
		return nil, err
	}
	_, key, err = ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("generate agent key: %w", err)
	}
	return key, writeFile(k.keyPath(), key.Seed())
}

func (k keyring) readKey() (ed25519.PrivateKey, error) {
	seed, err := os.ReadFile(k.keyPath())
	if err != nil {
		return nil, fmt.Errorf("read agent key: %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("agent key %s is damaged: %d bytes, want %d", k.keyPath(), len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
