package fleet_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

func post(t *testing.T, url, token string, body []byte) (status int, reason string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/proto")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("Date") == "" {
		t.Error("no Date, from which agents learn the time")
	}
	return res.StatusCode, res.Header.Get(fleet.ReasonHeader)
}

func TestAuthentication(t *testing.T) {
	s := serve(t, fleet.Timing{})
	a := s.enrol(t)
	const rpc = agentv1connect.AgentServiceReportProcedure
	body, err := proto.Marshal(&agentv1.ReportRequest{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	good := func() agentjwt.Claims { return a.claims(rpc, agentjwt.HashBody(body)) }

	t.Run("good", func(t *testing.T) {
		if status, reason := post(t, s.url+rpc, a.sign(t, good()), body); status != http.StatusOK {
			t.Errorf("status %d %s", status, reason)
		}
	})
	for name, c := range map[string]struct {
		change func(*agentjwt.Claims)
		want   string
	}{
		"expired": {func(c *agentjwt.Claims) {
			c.IssuedAt, c.Expiry = c.IssuedAt.Add(-time.Minute), c.IssuedAt.Add(-20*time.Second)
		}, "token_expired"},
		"from_tomorrow": {func(c *agentjwt.Claims) {
			c.IssuedAt, c.Expiry = c.IssuedAt.Add(24*time.Hour), c.Expiry.Add(24*time.Hour)
		}, "token_not_yet_valid"},
		"lives_for_days": {func(c *agentjwt.Claims) { c.Expiry = c.Expiry.Add(48 * time.Hour) }, "token_lifetime"},
		"wrong_audience": {func(c *agentjwt.Claims) { c.Audience = "https://other.example" }, "token_audience"},
		"wrong_rpc":      {func(c *agentjwt.Claims) { c.RPC = agentv1connect.AgentServiceWatchProcedure }, "token_rpc"},
		"no_body_hash":   {func(c *agentjwt.Claims) { c.BodyHash = "" }, "token_body"},
		"unknown_agent":  {func(c *agentjwt.Claims) { c.Agent = uuid.NewString() }, "agent_unknown"},
		"no_agent":       {func(c *agentjwt.Claims) { c.Agent = "'; --" }, "token_malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := good()
			c.change(&claims)
			if status, reason := post(t, s.url+rpc, a.sign(t, claims), body); status != http.StatusUnauthorized || reason != c.want {
				t.Errorf("status %d %s, want 401 %s", status, reason, c.want)
			}
		})
	}
	refused := func(name, token string, body []byte, want string) {
		t.Run(name, func(t *testing.T) {
			if status, reason := post(t, s.url+rpc, token, body); status != http.StatusUnauthorized || reason != want {
				t.Errorf("status %d %s, want 401 %s", status, reason, want)
			}
		})
	}
	refused("body_changed", a.sign(t, good()), append(body, 0x40, 1), "token_body")
	refused("no_token", "", body, "token_missing")
	_, stranger, _ := ed25519.GenerateKey(nil)
	forged, _ := agentjwt.Sign(stranger, good())
	refused("another_agents_key", forged, body, "token_signature")

	payload := strings.Split(a.sign(t, good()), ".")[1]
	refused("algorithm_none", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))+"."+payload+".", body, "token_malformed")
	refused("hmac_with_the_public_key", hmac(t, a, payload), body, "token_malformed")

	t.Run("a_body_over_the_bound_is_refused", func(t *testing.T) {
		if status, _ := post(t, s.url+rpc, a.sign(t, good()), make([]byte, 1<<20+1)); status != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d, want 413", status)
		}
	})
	t.Run("a_watch_needs_a_token_too", func(t *testing.T) {
		if status, reason := post(t, s.url+agentv1connect.AgentServiceWatchProcedure, "", nil); status != http.StatusUnauthorized || reason != "token_missing" {
			t.Errorf("status %d %s", status, reason)
		}
	})
}

func hmac(t *testing.T, a *agent, payload string) string {
	t.Helper()
	public := []byte(a.key.Public().(ed25519.PublicKey))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: public}, nil)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
