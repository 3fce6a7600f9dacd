package authn_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

type claims = map[string]any

// A provider's ID token that is not of it, for us, of now or of this login starts no session. OpenID Connect Core 1.0,
// section 3.1.3.7; RFC 8725, section 3.
func TestIDTokenAttacks(t *testing.T) {
	now := time.Now()
	for name, attack := range map[string]func(l *liar){
		"wrong_issuer":                  changing(func(c claims) { c["iss"] = "https://evil.example" }),
		"no_issuer":                     changing(func(c claims) { delete(c, "iss") }),
		"wrong_audience":                changing(func(c claims) { c["aud"] = "another-client" }),
		"no_audience":                   changing(func(c claims) { delete(c, "aud") }),
		"several_audiences_without_azp": changing(func(c claims) { c["aud"] = []string{"console", "another-client"} }),
		"azp_of_another_client":         changing(func(c claims) { c["aud"], c["azp"] = []string{"console", "x"}, "x" }),
		"azp_of_another_one_audience":   changing(func(c claims) { c["azp"] = "x" }),
		"no_subject":                    changing(func(c claims) { delete(c, "sub") }),
		"endless_subject":               changing(func(c claims) { c["sub"] = strings.Repeat("s", 256) }),
		"subject_with_nul":              changing(func(c claims) { c["sub"] = "ada\x00" }),
		"no_nonce":                      changing(func(c claims) { delete(c, "nonce") }),
		"wrong_nonce":                   changing(func(c claims) { c["nonce"] = "of-another-login" }),
		"expired_beyond_the_skew":       changing(func(c claims) { c["exp"] = now.Add(-3 * time.Minute).Unix() }),
		"no_expiry":                     changing(func(c claims) { delete(c, "exp") }),
		"issued_in_the_future":          changing(func(c claims) { c["iat"] = now.Add(3 * time.Minute).Unix() }),
		"issued_before_the_login":       changing(func(c claims) { c["iat"] = now.Add(-3 * time.Minute).Unix() }),
		"no_time_of_issue":              changing(func(c claims) { delete(c, "iat") }),
		"not_yet_valid_beyond_the_skew": changing(func(c claims) { c["nbf"] = now.Add(3 * time.Minute).Unix() }),
		"access_token_of_another_login": changing(func(c claims) { c["at_hash"] = "bm90IHRoaXMgb25lIGhlcmU" }),
		"huge":                          changing(func(c claims) { c["padding"] = strings.Repeat("x", 64<<10) }),
		"alg_none":                      signing(algNone),
		"alg_none_in_capitals":          signing(algNoneCapitals),
		"hs256_with_the_public_key_pem": signing(hs256WithPEM),
		"hs256_with_the_public_key_der": signing(hs256WithDER),
		"hs256_with_the_client_secret":  signing(hs256WithSecret),
		"signed_by_another_key":         signing(func(l *liar, c claims) string { return signed(l.t, newRSA(), "honest", c) }),
		"unknown_key_id":                signing(func(l *liar, c claims) string { return signed(l.t, honestKey(), "unknown", c) }),
		"signature_cut_off":             signing(func(l *liar, c claims) string { return cutSignature(signed(l.t, honestKey(), "honest", c)) }),
		"claims_changed_after_signing":  signing(swapClaims),
		"key_of_its_own_in_the_header":  signing(ownKeyInHeader),
		"json_in_place_of_compact": signing(func(l *liar, c claims) string {
			parts := strings.Split(signed(l.t, honestKey(), "honest", c), ".")
			return mustJSON(l.t, claims{"protected": parts[0], "payload": parts[1], "signature": parts[2]})
		}),
		"no_id_token":                  signing(func(*liar, claims) string { return "" }),
		"garbage":                      signing(func(*liar, claims) string { return "a.b.c" }),
		"symmetric_key_among_the_keys": symmetricKey,
		"encryption_key_used_for_signing": func(l *liar) {
			l.keys = func() []jose.JSONWebKey {
				return []jose.JSONWebKey{{Key: &honestKey().PublicKey, KeyID: "honest", Use: "enc"}}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := startLying(t, 0)
			attack(l)
			answer := s.throughLiar()
			if answer.StatusCode != http.StatusForbidden || !strings.Contains(answer.body, "could not be verified") {
				t.Errorf("status %d: %s", answer.StatusCode, answer.body)
			}
			if s.sessions.count() != 0 {
				t.Error("a session all the same")
			}
		})
	}
}

// What honest providers do, within the bounds, goes through.
func TestIDTokensThatAreGood(t *testing.T) {
	now := time.Now()
	for name, honest := range map[string]func(l *liar){
		"plain":                       func(*liar) {},
		"expired_within_the_skew":     changing(func(c claims) { c["exp"] = now.Add(-time.Minute).Unix() }),
		"future_within_the_skew":      changing(func(c claims) { c["iat"], c["nbf"] = now.Add(time.Minute).Unix(), now.Add(time.Minute).Unix() }),
		"several_audiences_with_azp":  changing(func(c claims) { c["aud"], c["azp"] = []string{"x", "console"}, "console" }),
		"no_key_id":                   signing(func(l *liar, c claims) string { return signed(l.t, honestKey(), "", c) }),
		"verified_as_text":            changing(func(c claims) { c["email_verified"] = "true" }),
		"address_in_userinfo_only":    addressInUserinfo(true),
		"unknown_kinds_of_keys_aside": func(l *liar) { l.mux.HandleFunc("GET /strange", strangeKeys); strange(l) },
	} {
		t.Run(name, func(t *testing.T) {
			s, l := startLying(t, 0)
			honest(l)
			if answer := s.throughLiar(); answer.StatusCode != http.StatusSeeOther || s.sessions.count() != 1 {
				t.Errorf("status %d: %s", answer.StatusCode, answer.body)
			}
		})
	}
}

// An address opens an invitation only where the provider says that it is verified.
func TestUnverifiedAddressesAreNobodys(t *testing.T) {
	for name, lie := range map[string]func(l *liar){
		"says_no":      changing(func(c claims) { c["email_verified"] = false }),
		"says_nothing": changing(func(c claims) { delete(c, "email_verified") }),
		"says_1":       changing(func(c claims) { c["email_verified"] = 1 }),
		"says_yes":     changing(func(c claims) { c["email_verified"] = "yes" }),
		// The ID token vouches for no address, so userinfo must for its own.
		"verified_in_the_id_token_address_in_userinfo": addressInUserinfo(false),
		"two_addresses":      changing(func(c claims) { c["email"] = "ada@example.com@evil.example" }),
		"address_with_space": changing(func(c claims) { c["email"] = "ada@example.com \r\n" }),
		"kelvin_sign":        changing(func(c claims) { c["email"] = "ada@example.com\u212a" }),
	} {
		t.Run(name, func(t *testing.T) {
			s, l := startLying(t, 0)
			lie(l)
			answer := s.throughLiar()
			if answer.StatusCode != http.StatusForbidden || !strings.Contains(answer.body, "not a member") {
				t.Errorf("status %d: %s", answer.StatusCode, answer.body)
			}
			if seen := s.members.seen.Load(); seen == nil || seen.EmailVerified {
				t.Errorf("passed on %+v", seen)
			}
		})
	}
}

func TestUserinfoOfSomebodyElse(t *testing.T) {
	s, l := startLying(t, 0)
	addressInUserinfo(true)(l)
	l.userinfo["sub"] = "eve"
	if answer := s.throughLiar(); answer.StatusCode != http.StatusForbidden || s.sessions.count() != 0 {
		t.Errorf("status %d: %s", answer.StatusCode, answer.body)
	}
}

func addressInUserinfo(verified bool) func(*liar) {
	return func(l *liar) {
		l.claims = func(c claims) { delete(c, "email") }
		l.userinfo = claims{"sub": "ada", "email": "ada@example.com", "name": "Ada"}
		if verified {
			l.userinfo["email_verified"] = true
		}
	}
}

func strange(l *liar) {
	l.describes = func(said map[string]any) { said["jwks_uri"] = l.issuer + "/strange" }
}

func strangeKeys(w http.ResponseWriter, _ *http.Request) {
	write(w, map[string]any{"keys": []any{map[string]any{"kty": "MOON", "kid": "x"}, public(honestKey(), "honest")}})
}

func changing(change func(claims)) func(*liar) {
	return func(l *liar) { l.claims = change }
}

func signing(sign func(*liar, claims) string) func(*liar) {
	return func(l *liar) { l.signs = func(c claims) string { return sign(l, c) } }
}

func algNone(l *liar, c claims) string {
	return handmade(l.t, claims{"alg": "none"}, c, func(string) []byte { return nil })
}

func algNoneCapitals(l *liar, c claims) string {
	return handmade(l.t, claims{"alg": "NONE", "kid": "honest"}, c, func(string) []byte { return nil })
}

func hs256(l *liar, c claims, secret []byte) string {
	l.describes = func(said map[string]any) {
		said["id_token_signing_alg_values_supported"] = []string{"HS256", "none", "RS256"}
	}
	return handmade(l.t, claims{"alg": "HS256", "kid": "honest"}, c, func(input string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return mac.Sum(nil)
	})
}

func publicDER() []byte {
	der, err := x509.MarshalPKIXPublicKey(&honestKey().PublicKey)
	if err != nil {
		return nil
	}
	return der
}

func hs256WithPEM(l *liar, c claims) string {
	return hs256(l, c, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER()}))
}

func hs256WithDER(l *liar, c claims) string { return hs256(l, c, publicDER()) }

func hs256WithSecret(l *liar, c claims) string { return hs256(l, c, []byte("secret")) }

func symmetricKey(l *liar) {
	secret := []byte(strings.Repeat("k", 32))
	l.keys = func() []jose.JSONWebKey { return []jose.JSONWebKey{{Key: secret, KeyID: "honest", Algorithm: "HS256"}} }
	l.signs = func(c claims) string { return hs256(l, c, secret) }
}

func cutSignature(token string) string { return token[:strings.LastIndex(token, ".")+1] }

func swapClaims(l *liar, c claims) string {
	parts := strings.Split(signed(l.t, honestKey(), "honest", claims{"sub": "eve"}), ".")
	forged := strings.Split(signed(l.t, newRSA(), "honest", c), ".")
	return parts[0] + "." + forged[1] + "." + parts[2]
}

// ownKeyInHeader carries the key that it is signed with (RFC 8725, section 3.10).
func ownKeyInHeader(l *liar, c claims) string {
	key := newRSA()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		l.t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(mustJSON(l.t, c)))
	if err != nil {
		l.t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		l.t.Fatal(err)
	}
	return compact
}
