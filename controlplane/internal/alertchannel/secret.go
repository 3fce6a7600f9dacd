package alertchannel

import (
	"encoding/base64"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// As the Standard Webhooks specification has it: a symmetric secret is a prefix and
// the base64 of 24 to 64 random bytes.
const (
	secretPrefix = "whsec_"
	minSecret    = 24
	maxSecret    = 64
)

// ParseSecret returns the bytes that sign. The fault does not show the text.
func ParseSecret(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, fault.Field("secret", "want %s and the base64 of %d to %d random bytes", secretPrefix, minSecret, maxSecret)
	}
	return key, nil
}
