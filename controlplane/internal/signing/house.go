package signing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// houseKeySize is AES-256's, in bytes.
const houseKeySize = 32

// ErrHouseKey says that a secret was wrapped by another house key.
var ErrHouseKey = errors.New("wrapped by another house key")

// HouseKey wraps secrets that rest in Postgres.
type HouseKey struct {
	id   string
	aead cipher.AEAD
	key  []byte
}

// LoadHouseKey reads the 32 bytes in path. Where there is no such file it makes
// one, mode 0600, and says so: without it every wrapped secret is lost.
func LoadHouseKey(path string, log *slog.Logger) (*HouseKey, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createHouseKey(path); err != nil {
			return nil, err
		}
		key, err = os.ReadFile(path)
		log.Warn("made a new house key; back it up, wrapped secrets are lost without it", "path", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read house key: %w", err)
	}
	if len(key) != houseKeySize {
		return nil, fmt.Errorf("house key %s: %d bytes, want %d", path, len(key), houseKeySize)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		log.Warn("the house key can be read by other users; chmod 600", "path", path, "mode", info.Mode().Perm().String())
	}
	return newHouseKey(key)
}

// createHouseKey leaves a file that another process made first as it is.
func createHouseKey(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder of house key: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".house-key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("make house key: %w", err)
	}
	defer os.Remove(file.Name())
	key := make([]byte, houseKeySize)
	rand.Read(key) // never fails
	_, err = file.Write(key)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write house key: %w", err)
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("name house key: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes names last through a power loss, as Postgres does with what the
// key will wrap.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder of house key: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder of house key: %w", err)
	}
	return nil
}

func newHouseKey(key []byte) (*HouseKey, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("use house key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("use house key: %w", err)
	}
	sum := sha256.Sum256(append([]byte("weir house key id v1\x00"), key...))
	return &HouseKey{id: hex.EncodeToString(sum[:8]), aead: aead, key: key}, nil
}

// ID names the key without telling it.
func (h *HouseKey) ID() string { return h.id }

// Derive returns 32 bytes for another purpose, the same in every process that has
// this house key. They tell nothing about it or about other purposes.
func (h *HouseKey) Derive(purpose string) ([]byte, error) {
	derived, err := hkdf.Key(sha256.New, h.key, nil, "weir "+purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key for %s: %w", purpose, err)
	}
	return derived, nil
}

// Wrap encrypts a secret so that it opens for this organization only.
func (h *HouseKey) Wrap(organization uuid.UUID, secret []byte) []byte {
	return h.aead.Seal(nil, nil, secret, organization[:])
}

// Unwrap opens what Wrap made.
func (h *HouseKey) Unwrap(organization uuid.UUID, wrapped []byte) ([]byte, error) {
	secret, err := h.aead.Open(nil, nil, wrapped, organization[:])
	if err != nil {
		return nil, fmt.Errorf("unwrap secret of organization %s: %w", organization, err)
	}
	return secret, nil
}
