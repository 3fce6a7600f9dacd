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
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/dataplane/internal/secret"
)

const (
	maxFingerprintKey = 4 << 10
	// ownFingerprintKey is in the state folder.
	ownFingerprintKey = "fingerprint.key"
	ownKeyBytes       = 32
)

// keySource is what fingerprints of credentials and hashes of end users are keyed from: the
// file that configuration names, else the gateway key, else a key of this agent's own. Agents
// that share one of the first two make the same.
type keySource struct {
	configured bool   // a file, and nothing else will do
	key        []byte // of the file, or the agent's own; nil: it can't be had
	opener     *gatewaykey.Opener
}

// newKeySource makes the agent's own key where it needs one.
func newKeySource(c Config, opener *gatewaykey.Opener) (s keySource, err error) {
	s.opener, s.configured = opener, c.FingerprintKeyFile != ""
	if s.configured {
		s.key, err = readKey(c.FingerprintKeyFile)
	} else {
		s.key, err = ownKey(filepath.Join(c.StateDir, ownFingerprintKey))
	}
	if err != nil {
		s.key, err = nil, fmt.Errorf("fingerprint key: %w", err)
	}
	return s, err
}

// secret is nil where a configured file can't be used, or no own key be kept.
func (s keySource) secret() (from []byte, shared bool) {
	if first, ok := s.opener.First(); ok && !s.configured {
		return first, true
	}
	return s.key, s.configured
}

func (s keySource) fingerprinter() secret.Fingerprinter {
	from, _ := s.secret()
	by, _ := secret.NewFingerprinter(from) // none from none
	return by
}

// hasher is nil where there is no key.
func (s keySource) hasher() *redact.Hasher {
	from, _ := s.secret()
	by, err := redact.NewHasher(from)
	if err != nil {
		return nil
	}
	return by
}

// keyed takes the agent's keys, and warns of what they lack.
func (a *agent) keyed(keys keySource, err error) {
	a.keys = keys
	a.hasher.Store(keys.hasher())
	switch _, shared := keys.secret(); {
	case a.hasher.Load() == nil:
		a.logger.Warn("there is no key: credentials are reported without fingerprints, and usage leaves hashed end users out", "error", err)
	case !shared:
		a.logger.Warn("end users are hashed with a key of this agent's own: one who uses several agents looks like several in usage; " +
			"give the gateway's agents one file in WEIR_FINGERPRINT_KEY_FILE")
	}
}

func readKey(path string) ([]byte, error) {
	file, err := os.Open(path)
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
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(content) > maxFingerprintKey {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFingerprintKey)
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
