package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Anchor names a link by what nobody can make again without the audit key. Its
// text is VERSION:HASH.
type Anchor struct {
	Version int64
	Code    []byte
}

func (a Anchor) String() string {
	return strconv.FormatInt(a.Version, 10) + ":" + hex.EncodeToString(a.Code)
}

// ParseAnchor reads what String gives.
func ParseAnchor(text string) (Anchor, error) {
	number, code, _ := strings.Cut(text, ":")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil || version < 1 {
		return Anchor{}, fmt.Errorf("anchor %q: want VERSION:HASH as `audit verify` prints it", text)
	}
	raw, err := hex.DecodeString(code)
	if err != nil || len(raw) != sha256.Size {
		return Anchor{}, fmt.Errorf("anchor %q: want VERSION:HASH as `audit verify` prints it", text)
	}
	return Anchor{Version: version, Code: raw}, nil
}
