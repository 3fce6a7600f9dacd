package agentjwt_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/weirhq/weir/proto/contract/agentjwt"
)

var (
	key  = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	now  = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	good = agentjwt.Claims{
		Agent:    "4bd7c0a6-9d1c-4b33-9d5d-2f8a3a0c7c11",
		Audience: "https://weir.example",
		RPC:      "/weir.agent.v1.AgentService/Report",
		BodyHash: agentjwt.HashBody([]byte("body")),
		IssuedAt: now,
		Expiry:   now.Add(30 * time.Second),
	}
	want = agentjwt.Expect{
		Audiences: []string{"https://internal.example", "https://weir.example"},
		RPC:       good.RPC,
		BodyHash:  good.BodyHash,
		Now:       now.Add(time.Second),
	}
)

const golden = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9." +
	"eyJhdWQiOiJodHRwczovL3dlaXIuZXhhbXBsZSIsImJoIjoiSXcyRFdOeU9pSkMweFkzdXRpa1M3aThnTlhycEtseklZYm1PYVA0eHJMVSIsIm" +
	"V4cCI6MTc4MjkwNzIzMCwiaWF0IjoxNzgyOTA3MjAwLCJpc3MiOiI0YmQ3YzBhNi05ZDFjLTRiMzMtOWQ1ZC0yZjhhM2EwYzdjMTEiLCJycGMi" +
	"OiIvd2Vpci5hZ2VudC52MS5BZ2VudFNlcnZpY2UvUmVwb3J0In0" +
	".dbJFvxfhzbkxVxE4gCIvdlaAEZJQhE09TWaRAYJ5HBYfVqMNzawRYlMBgITFyB-3Jn9VqFXqiDeLo1wjS38qAw"

func sign(t *testing.T, c agentjwt.Claims) string {
	t.Helper()
	text, err := agentjwt.Sign(key, c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func verify(text string, expect agentjwt.Expect) error {
	token, err := agentjwt.Parse(text)
	if err != nil {
		return err
	}
	return token.Verify(key.Public().(ed25519.PublicKey), expect)
}

func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*agentjwt.Claims, *agentjwt.Expect)
		want   error
	}{
		"good":              {func(*agentjwt.Claims, *agentjwt.Expect) {}, nil},
		"expired":           {func(_ *agentjwt.Claims, e *agentjwt.Expect) { e.Now = now.Add(41 * time.Second) }, agentjwt.ErrExpired},
		"within_the_skew":   {func(_ *agentjwt.Claims, e *agentjwt.Expect) { e.Now = now.Add(39 * time.Second) }, nil},
		"from_the_future":   {func(_ *agentjwt.Claims, e *agentjwt.Expect) { e.Now = now.Add(-11 * time.Second) }, agentjwt.ErrNotYet},
		"lives_too_long":    {func(c *agentjwt.Claims, _ *agentjwt.Expect) { c.Expiry = now.Add(61 * time.Second) }, agentjwt.ErrLifetime},
		"other_audience":    {func(c *agentjwt.Claims, _ *agentjwt.Expect) { c.Audience = "https://evil.example" }, agentjwt.ErrAudience},
		"other_call":        {func(c *agentjwt.Claims, _ *agentjwt.Expect) { c.RPC = "/weir.agent.v1.AgentService/Watch" }, agentjwt.ErrRPC},
		"other_body":        {func(_ *agentjwt.Claims, e *agentjwt.Expect) { e.BodyHash = agentjwt.HashBody(nil) }, agentjwt.ErrBody},
		"body_not_claimed":  {func(c *agentjwt.Claims, _ *agentjwt.Expect) { c.BodyHash = "" }, agentjwt.ErrBody},
		"body_claimed_only": {func(_ *agentjwt.Claims, e *agentjwt.Expect) { e.BodyHash = "" }, agentjwt.ErrBody},
	} {
		t.Run(name, func(t *testing.T) {
			claims, expect := good, want
			c.change(&claims, &expect)
			if err := verify(sign(t, claims), expect); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	t.Run("another_key", func(t *testing.T) {
		token, err := agentjwt.Parse(sign(t, good))
		if err != nil {
			t.Fatal(err)
		}
		other, _, _ := ed25519.GenerateKey(nil)
		if err := token.Verify(other, want); !errors.Is(err, agentjwt.ErrSignature) {
			t.Errorf("got %v, want ErrSignature", err)
		}
	})
	t.Run("a_changed_claim", func(t *testing.T) {
		parts := strings.Split(sign(t, good), ".")
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		changed := strings.Replace(string(payload), "Report", "Watch", 1)
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(changed))
		if err := verify(strings.Join(parts, "."), want); !errors.Is(err, agentjwt.ErrSignature) {
			t.Errorf("got %v, want ErrSignature", err)
		}
	})
}

func TestParse(t *testing.T) {
	claims := strings.Split(sign(t, good), ".")[1]
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + claims + "."
	for name, text := range map[string]string{
		"empty":                     "",
		"words":                     "not a token",
		"algorithm_none":            none,
		"hmac_with_the_public_key":  hmac(t),
		"longer_than_any_agent_has": strings.Repeat("a", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			if err := verify(text, want); !errors.Is(err, agentjwt.ErrMalformed) {
				t.Errorf("got %v, want ErrMalformed", err)
			}
		})
	}
}

func hmac(t *testing.T) string {
	t.Helper()
	public := []byte(key.Public().(ed25519.PublicKey))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: public}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": good.Agent, "aud": good.Audience, "rpc": good.RPC, "bh": good.BodyHash,
		"iat": good.IssuedAt.Unix(), "exp": good.Expiry.Unix(),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSign(t *testing.T) {
	t.Run("golden_vector", func(t *testing.T) {
		if got := sign(t, good); got != golden {
			t.Errorf("token changed: %s", got)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(golden)
	f.Fuzz(func(t *testing.T, text string) {
		token, err := agentjwt.Parse(text)
		if err == nil && verify(text, want) == nil && token.Agent() != good.Agent {
			t.Errorf("believed %q", text)
		}
	})
}
