package googleauth

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/weirhq/weir/dataplane/internal/secret"
)

// maxKept bounds the keys that are remembered: more than that are not in use at once.
const maxKept = 256

// Tokens are those of the keys in use, each made once and kept until it is nearly over. It
// is safe for concurrent use; the zero value is ready.
type Tokens struct {
	mu   sync.Mutex
	kept map[[sha256.Size]byte]*token // by the credential
}

// token is of one key.
type token struct {
	mu      sync.Mutex
	account *account
	value   secret.Value
	renew   time.Time
}

// Of is the token that a credential stands for: what is no key's JSON is one already. The
// error wraps ErrKey.
func (t *Tokens) Of(credential secret.Value, now time.Time) (secret.Value, error) {
	text := credential.Reveal()
	if !isKey(text) {
		return credential, nil
	}
	return t.token(sha256.Sum256([]byte(text))).of(text, now)
}

func (t *Tokens) token(key [sha256.Size]byte) *token {
	t.mu.Lock()
	defer t.mu.Unlock()
	if kept := t.kept[key]; kept != nil {
		return kept
	}
	if t.kept == nil || len(t.kept) >= maxKept {
		t.kept = map[[sha256.Size]byte]*token{} // those in use come back
	}
	t.kept[key] = &token{}
	return t.kept[key]
}

// of makes the token where there is none, or it is nearly over. A clock that was set back
// makes a new one, too.
func (t *token) of(text string, now time.Time) (secret.Value, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if left := t.renew.Sub(now); left > 0 && left <= lifetime-early {
		return t.value, nil
	}
	if t.account == nil {
		account, err := parse(text)
		if err != nil {
			return secret.Value{}, err
		}
		t.account = account
	}
	value, err := t.account.sign(now)
	if err != nil {
		return secret.Value{}, err
	}
	t.value, t.renew = value, now.Add(lifetime-skew-early)
	return value, nil
}
