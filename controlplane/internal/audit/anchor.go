package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
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

// AnchorIn names the newest link of an organization, in a transaction that is in it;
// false: its log is not chained.
func AnchorIn(ctx context.Context, tx pgx.Tx, organization uuid.UUID) (a Anchor, ok bool, err error) {
	const query = `SELECT last, code FROM audit_link WHERE organization_id = $1 ORDER BY last DESC LIMIT 1`
	err = tx.QueryRow(ctx, query, organization).Scan(&a.Version, &a.Code)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("read the newest audit link of organization %s: %w", organization, err)
	}
	return a, true, nil
}
