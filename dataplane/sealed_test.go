package dataplane

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/gatewaykey"
	"github.com/weirhq/weir/dataplane/llmtest"
	"github.com/weirhq/weir/proto/contract/seal"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const sealedCanary = "sk-canary-that-only-the-agent-opens"

// sealedTo is a provider at an upstream, with a credential for it that may have been
// sealed for something else.
func sealedTo(t *testing.T, key seal.PublicKey, upstream, name string, elsewhere func(*seal.Binding)) *policyv1.Provider {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	origin, err := seal.Origin(u)
	if err != nil {
		t.Fatal(err)
	}
	p := provider(upstream)
	p.Id, p.Name, p.CredentialRef = "p-"+name, name, ""
	b := seal.Binding{OrganizationID: "o", GatewayID: "g", ProviderID: p.Id, Origin: origin, Version: 2}
	elsewhere(&b)
	made, err := seal.Seal(key, b, []byte(sealedCanary))
	if err != nil {
		t.Fatal(err)
	}
	p.SealedCredential = &policyv1.SealedCredential{Version: 2, Sealed: made}
	return p
}

// TestSealedCredentials: the upstream gets what was sealed for it. Moved to anything
// else by who carries it, it opens nowhere, and its provider alone is out.
func TestSealedCredentials(t *testing.T) {
	mock := llmtest.New(llmtest.Options{APIKey: sealedCanary})
	upstream := httptest.NewServer(mock)
	defer upstream.Close()
	defer mock.Close()
	greedy := 0
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { greedy++ }))
	defer evil.Close()

	dir := t.TempDir()
	keyFile := filepath.Join(dir, "gateway.key")
	key, err := gatewaykey.Create(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := seal.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("WEIR_SECRET_TEST", sealedCanary)
	as := func(*seal.Binding) {}
	from, _ := url.Parse(upstream.URL)
	origin, _ := seal.Origin(from)
	seed(t, dir, provider(upstream.URL),
		sealedTo(t, key, upstream.URL, "good", as),
		sealedTo(t, key, upstream.URL, "organization", func(b *seal.Binding) { b.OrganizationID = "o2" }),
		sealedTo(t, key, upstream.URL, "gateway", func(b *seal.Binding) { b.GatewayID = "g2" }),
		sealedTo(t, key, upstream.URL, "provider", func(b *seal.Binding) { b.ProviderID = "p-good" }),
		sealedTo(t, key, upstream.URL, "version", func(b *seal.Binding) { b.Version = 1 }),
		sealedTo(t, key, evil.URL, "origin", func(b *seal.Binding) { b.Origin = origin }),
		sealedTo(t, stranger.Public(), upstream.URL, "key", as),
	)
	agent := run(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20,
		AllowUpstreams: []string{upstream.URL, evil.URL}, GatewayKeyFile: keyFile})

	for _, route := range []string{"good", "chat"} {
		if status, body := agent.ask(t, route); status != http.StatusOK {
			t.Errorf("%s: %d %s", route, status, body)
		}
	}
	for _, route := range []string{"organization", "gateway", "provider", "version", "origin", "key"} {
		if status, body := agent.ask(t, route); status != http.StatusServiceUnavailable || !strings.Contains(body, "credential_unavailable") {
			t.Errorf("%s: %d %s", route, status, body)
		}
	}
	if sent := mock.Requests(); len(sent) != 2 || sent[0].Header.Get("Authorization") != "Bearer "+sealedCanary || greedy != 0 {
		t.Errorf("%d requests upstream, %d elsewhere", len(sent), greedy)
	}
	log := agent.log.String()
	for _, reason := range []string{
		"gateway g, provider p-provider, " + origin + ", version 2", "provider p-origin, " + evil.URL,
		"sealed for the key " + stranger.Public().Fingerprint().String() + ", and this agent has " + key.Fingerprint().String(),
	} {
		if !strings.Contains(log, reason) {
			t.Errorf("the log does not say %q:\n%s", reason, log)
		}
	}
	wantNowhere(t, dir, log)
}

// wantNowhere looks for the credential in the log and in all that the agent keeps.
func wantNowhere(t *testing.T, dir, log string) {
	t.Helper()
	kept := log
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		kept += string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{sealedCanary, hex.EncodeToString([]byte(sealedCanary)), base64.StdEncoding.EncodeToString([]byte(sealedCanary))} {
		if strings.Contains(kept, form) {
			t.Error("the credential is in the log or on disk")
		}
	}
}
