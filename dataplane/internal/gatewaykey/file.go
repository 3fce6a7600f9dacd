package gatewaykey

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/weirhq/weir/proto/contract/seal"
)

const (
	prefix       = "weirgk_"
	maxKeys      = 16
	maxFileBytes = 64 << 10
	// tooOpen: others must not see the file, and the group must not write it. It may
	// read it, as it does what orchestrators mount.
	tooOpen = 0o027
)

// encoding of a key in its file.
var encoding = base64.RawURLEncoding

// Create makes a key and the file that keeps it, which only its owner can read. It
// never writes over a file.
func Create(path string) (seal.PublicKey, error) {
	key, err := seal.GenerateKey()
	if err != nil {
		return seal.PublicKey{}, err
	}
	raw, err := key.Bytes()
	if err != nil {
		return seal.PublicKey{}, fmt.Errorf("make a gateway key: %w", err)
	}
	text := fmt.Sprintf("# Private key of a Weir gateway; its fingerprint is %s.\n%s%s\n",
		key.Public().Fingerprint(), prefix, encoding.EncodeToString(raw))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return seal.PublicKey{}, fmt.Errorf("%s is there already, and a key in it can't be made again; choose another name", path)
	}
	if err != nil {
		return seal.PublicKey{}, fmt.Errorf("make a gateway key: %w", err)
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return seal.PublicKey{}, errors.Join(fmt.Errorf("write a gateway key: %w", err), os.Remove(path))
	}
	return key.Public(), nil
}

// Read returns the keys of a file, in its order: one a line, at least one. Lines
// that begin with # are for people. Several are there while one takes over from
// another.
func Read(path string) ([]seal.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("gateway key file: %w", err)
	}
	switch {
	case !info.Mode().IsRegular() || info.Size() > maxFileBytes:
		return nil, fmt.Errorf("gateway key file %s: not a regular file of at most %d bytes", path, maxFileBytes)
	case info.Mode().Perm()&tooOpen != 0:
		return nil, fmt.Errorf("gateway key file %s: its mode is %04o, so that others can get at it; chmod 600 it, and take a new key "+
			"if somebody may have read this one", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gateway key file: %w", err)
	}
	keys, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("gateway key file %s: %w", path, err)
	}
	return keys, nil
}

// parse never quotes what it read.
func parse(text string) ([]seal.PrivateKey, error) {
	var keys []seal.PrivateKey
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		encoded, ok := strings.CutPrefix(line, prefix)
		raw, err := encoding.DecodeString(encoded)
		if !ok || err != nil {
			return nil, fmt.Errorf("line %d is no gateway key (%s…)", number, prefix)
		}
		key, err := seal.ParsePrivateKey(raw)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("%d keys; want 1 to %d", len(keys), maxKeys)
	}
	return keys, nil
}
