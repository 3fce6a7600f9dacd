package dataplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/dataplane/internal/gatewaykey"
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/proto/contract/batch"
)

// HashKeys is where an agent finds what it hashes end users with, in this order.
type HashKeys struct{ FingerprintKeyFile, GatewayKeyFile, StateDir string }

// HashesOf are how usage names an end user: by the key that agents with these files use, and
// by the others of the gateway's file, which they used, or will. Nothing is made or changed.
func (k HashKeys) HashesOf(user string) (hashes []string, err error) {
	if user == "" || len(user) > batch.MaxCallerIDBytes {
		return nil, fmt.Errorf("an end user has 1 to %d bytes, as in X-Weir-User; this one has %d", batch.MaxCallerIDBytes, len(user))
	}
	secrets, err := k.secrets()
	if err != nil {
		return nil, err
	}
	for _, from := range secrets {
		by, err := redact.NewHasher(from)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, by.Of(user))
	}
	return hashes, nil
}

func (k HashKeys) secrets() (secrets [][]byte, err error) {
	switch {
	case k.FingerprintKeyFile != "":
		key, err := readKey(k.FingerprintKeyFile)
		if err != nil {
			return nil, fmt.Errorf("fingerprint key: %w", err)
		}
		return [][]byte{key}, nil
	case k.GatewayKeyFile != "":
		keys, err := gatewaykey.Read(k.GatewayKeyFile)
		for _, key := range keys {
			raw, err := key.Bytes()
			if err != nil {
				return nil, fmt.Errorf("gateway key: %w", err)
			}
			secrets = append(secrets, raw)
		}
		return secrets, err
	case k.StateDir != "":
		key, err := os.ReadFile(filepath.Join(k.StateDir, ownFingerprintKey))
		if err != nil {
			return nil, fmt.Errorf("the agent's own key: %w", err)
		}
		return [][]byte{key}, nil
	}
	return nil, errors.New("no key: name the file that the agents share in WEIR_FINGERPRINT_KEY_FILE, " +
		"else that of the gateway key in WEIR_GATEWAY_KEY_FILE, else an agent's state folder in WEIR_STATE_DIR")
}
