package dataplane

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/dataplane/internal/gatewaykey"
	"github.com/weirhq/weir/dataplane/internal/secret"
)

const (
	maxFingerprintKey = 4 << 10
	// ownFingerprintKey is in the state folder.
	ownFingerprintKey = "fingerprint.key"
	ownKeyBytes       = 32
)

// fingerprinter uses the key of the file that configuration names, else one made from
// the gateway key, else one of this agent's own. Agents that share the first or the
// second make the same fingerprints.
func fingerprinter(c Config, opener *gatewaykey.Opener) (func() secret.Fingerprinter, error) {
	from, err := fingerprintKey(c)
	if err != nil {
		err = fmt.Errorf("fingerprint key: %w", err)
	}
	return func() secret.Fingerprinter {
		from := from
		if first, ok := opener.First(); ok && c.FingerprintKeyFile == "" {
			from = first
		}
		by, _ := secret.NewFingerprinter(from) // none from none
		return by
	}, err
}

// fingerprintKey is the configured one, else this agent's own.
func fingerprintKey(c Config) ([]byte, error) {
	if c.FingerprintKeyFile == "" {
		return ownKey(filepath.Join(c.StateDir, ownFingerprintKey))
	}
	file, err := os.Open(c.FingerprintKeyFile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFingerprintKey+1))
	if err != nil {
		return nil, err
	}
	key := bytes.TrimSpace(content)
	if _, err := secret.NewFingerprinter(key); err != nil {
		return nil, fmt.Errorf("%s: %w", c.FingerprintKeyFile, err)
	}
	if len(content) > maxFingerprintKey {
		return nil, fmt.Errorf("%s has more than %d bytes", c.FingerprintKeyFile, maxFingerprintKey)
	}
	return key, nil
}

// ownKey reads the agent's own key, or makes it. One that was torn is made anew: then
// fingerprints change once.
func ownKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) == ownKeyBytes || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, ownKeyBytes)
	rand.Read(key)
	return key, os.WriteFile(path, key, 0o600)
}
