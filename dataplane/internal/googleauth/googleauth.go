// Package googleauth makes the OAuth tokens that Google's Cloud APIs take of the keys of
// service accounts. It signs them itself: no token endpoint is called, so that an agent
// reaches no other origin than its upstreams. It reads no files, and neither logs nor
// quotes what it is given.
package googleauth

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/secret"
)

// Scope of every token.
const Scope = "https://www.googleapis.com/auth/cloud-platform"

const (
	// lifetime is what Google asks for, early how long before its end a token is renewed.
	lifetime = time.Hour
	early    = 5 * time.Minute
	// skew makes up for an agent's clock that is ahead of Google's.
	skew = 10 * time.Second
)

// ErrKey is what is wrong with a credential that looks like a service account's key. What
// wraps it never quotes the credential.
var ErrKey = errors.New("the credential is no service account's key")

// account is what a token is made of.
type account struct {
	email, keyID string
	key          *rsa.PrivateKey
}

// isKey tells a key's JSON from an access token.
func isKey(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "{") }

// parse reads the JSON that Google gives out for a key.
// Format: https://google.aip.dev/auth/4112
func parse(text string) (*account, error) {
	var file struct {
		Type        string `json:"type"`
		ClientEmail string `json:"client_email"`
		KeyID       string `json:"private_key_id"`
		Key         string `json:"private_key"`
	}
	switch err := json.Unmarshal([]byte(text), &file); {
	case err != nil:
		return nil, fmt.Errorf("%w: it begins as JSON and is none", ErrKey) // err quotes it
	case file.Type != "service_account":
		return nil, fmt.Errorf("%w: its type is not service_account", ErrKey)
	case file.ClientEmail == "":
		return nil, fmt.Errorf("%w: it has no client_email", ErrKey)
	}
	key, err := parseRSA(file.Key)
	if err != nil {
		return nil, err
	}
	return &account{email: file.ClientEmail, keyID: file.KeyID, key: key}, nil
}

func parseRSA(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("%w: its private_key is not PEM", ErrKey)
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: its private_key can't be read", ErrKey)
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: its private_key is not of RSA", ErrKey)
	}
	return key, nil
}

type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid,omitempty"`
}

// claims have a scope and, as Google wants then, no audience.
type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Scope   string `json:"scope"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
}

// sign makes a token. Format: https://google.aip.dev/auth/4111
func (a *account) sign(now time.Time) (secret.Value, error) {
	issued := now.Add(-skew)
	signed := encode(header{Algorithm: "RS256", Type: "JWT", KeyID: a.keyID}) + "." +
		encode(claims{Issuer: a.email, Subject: a.email, Scope: Scope, Issued: issued.Unix(), Expires: issued.Add(lifetime).Unix()})
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return secret.Value{}, fmt.Errorf("%w: its private_key can't sign", ErrKey)
	}
	return secret.NewValue(signed + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

func encode(part any) string {
	text, _ := json.Marshal(part) // of strings and numbers alone
	return base64.RawURLEncoding.EncodeToString(text)
}
