package googleauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
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
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/googleauth"
	"github.com/weirhq/weir/dataplane/internal/secret"
)

const email = "agent@p1.iam.gserviceaccount.com"

var begun = time.Unix(1_800_000_000, 0)

func newKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// file is a key's JSON as Google gives it out.
func file(t testing.TB, kind, email, key string) secret.Value {
	t.Helper()
	text, err := json.Marshal(map[string]string{"type": kind, "project_id": "p1", "private_key_id": "k1", "private_key": key,
		"client_email": email, "token_uri": "https://oauth2.googleapis.com/token"})
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewValue(string(text))
}

// read verifies a token and returns what it says.
func read(t *testing.T, token secret.Value, key *rsa.PublicKey) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	decoded := make([][]byte, 3)
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], decoded[2]); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.Unmarshal(decoded[0], &header), json.Unmarshal(decoded[1], &claims)); err != nil {
		t.Fatal(err)
	}
	return header, claims
}

func TestTokenOfAKey(t *testing.T) {
	key := newKey(t)
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for name, text := range map[string]string{"pkcs8": pkcs8(t, key), "pkcs1": pkcs1} {
		t.Run(name, func(t *testing.T) {
			var tokens googleauth.Tokens
			token, err := tokens.Of(file(t, "service_account", email, text), begun)
			if err != nil {
				t.Fatal(err)
			}
			header, claims := read(t, token, &key.PublicKey)
			if diff := cmp.Diff(map[string]any{"alg": "RS256", "typ": "JWT", "kid": "k1"}, header); diff != "" {
				t.Error(diff)
			}
			issued := float64(begun.Unix() - 10)
			want := map[string]any{"iss": email, "sub": email, "scope": "https://www.googleapis.com/auth/cloud-platform", "iat": issued, "exp": issued + 3600}
			if diff := cmp.Diff(want, claims); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTokensAreKeptUntilTheyAreNearlyOver(t *testing.T) {
	key := newKey(t)
	credential := file(t, "service_account", email, pkcs8(t, key))
	var tokens googleauth.Tokens
	of := func(after time.Duration) string {
		token, err := tokens.Of(credential, begun.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		return token.Reveal()
	}
	first := of(0)
	if of(54*time.Minute+49*time.Second) != first {
		t.Error("a token was made anew that is good for 5 minutes more")
	}
	second := of(54*time.Minute + 50*time.Second)
	if second == first {
		t.Error("a token is kept that is nearly over")
	}
	if _, claims := read(t, secret.NewValue(second), &key.PublicKey); claims["exp"].(float64) < float64(begun.Add(time.Hour+54*time.Minute).Unix()) {
		t.Error(claims)
	}
	if of(54*time.Minute+51*time.Second) != second {
		t.Error("the second token is not kept")
	}
	if of(-2*time.Hour) == second {
		t.Error("a token is kept that is of the future")
	}
}

func TestARotatedKeyHasATokenOfItsOwn(t *testing.T) {
	old, next := newKey(t), newKey(t)
	var tokens googleauth.Tokens
	for _, key := range []*rsa.PrivateKey{old, next, old} {
		token, err := tokens.Of(file(t, "service_account", email, pkcs8(t, key)), begun)
		if err != nil {
			t.Fatal(err)
		}
		read(t, token, &key.PublicKey)
	}
}

func TestManyKeysAreForgotten(t *testing.T) {
	text := pkcs8(t, newKey(t))
	var tokens googleauth.Tokens
	for i := range 600 {
		if _, err := tokens.Of(file(t, "user", fmt.Sprint(i), text), begun); err == nil {
			t.Fatal("a key of a user was taken")
		}
	}
	if kept := tokens.Kept(); kept > 256 {
		t.Errorf("%d are kept", kept)
	}
}

func TestAccessTokensStayAsTheyAre(t *testing.T) {
	var tokens googleauth.Tokens
	for _, text := range []string{"ya29.a0AbC", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", ""} {
		if got, err := tokens.Of(secret.NewValue(text), begun); err != nil || got.Reveal() != text {
			t.Errorf("%q: %q, %v", text, got.Reveal(), err)
		}
	}
}

func TestBrokenKeysAreNotQuoted(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const canary = "canary-of-a-key"
	var tokens googleauth.Tokens
	for name, credential := range map[string]secret.Value{
		"no_json":       secret.NewValue(` {"type":"service_account","private_key":` + canary),
		"of_a_user":     file(t, "authorized_user", canary, ""),
		"without_email": file(t, "service_account", "", canary),
		"no_pem":        file(t, "service_account", canary, canary),
		"no_key":        file(t, "service_account", canary, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(canary)}))),
		"of_a_curve":    file(t, "service_account", canary, pkcs8(t, curve)),
		"other_types":   secret.NewValue(`{"type":"service_account","private_key":{"` + canary + `":1}}`),
	} {
		for range 2 { // it is not remembered as good
			got, err := tokens.Of(credential, begun)
			if !errors.Is(err, googleauth.ErrKey) || strings.Contains(fmt.Sprint(err, got), canary) || got.Reveal() != "" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestOneTokenForAll: however many ask at once, of each key one token is made.
func TestOneTokenForAll(t *testing.T) {
	var tokens googleauth.Tokens
	credentials := []secret.Value{file(t, "service_account", "a", pkcs8(t, newKey(t))), file(t, "service_account", "b", pkcs8(t, newKey(t)))}
	got := make([]string, 64)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			// Each says another time: tokens made apart would differ.
			token, err := tokens.Of(credentials[i%2], begun.Add(time.Duration(i)*100*time.Millisecond))
			if err != nil {
				t.Error(err)
			}
			got[i] = token.Reveal()
		})
	}
	all.Wait()
	for i := range got {
		if got[i] == "" || got[i] != got[i%2] {
			t.Fatal("several tokens were made of one key")
		}
	}
}
