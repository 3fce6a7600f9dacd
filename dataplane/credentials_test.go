package dataplane

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/weirhq/weir/dataplane/internal/gatewaykey"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/seal"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const allowed = "http://127.0.0.1:9"

// healthOf is an agent's own view of the credentials of a policy.
func healthOf(t *testing.T, c Config) *credentials {
	t.Helper()
	opener := gatewaykey.NewOpener(c.GatewayKeyFile, slog.New(slog.DiscardHandler))
	keys, err := newKeySource(c, opener)
	if err != nil {
		t.Fatal(err)
	}
	secrets := secret.NewResolver(slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); secrets.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return &credentials{secrets: secrets, opener: opener, fingerprinter: keys.fingerprinter}
}

func compiled(t *testing.T, providers ...*policyv1.Provider) *snapshot.Policy {
	t.Helper()
	_, signer := keys(t)
	file := signedPolicy(t, signer, "local", providers)
	origins, err := snapshot.ParseOrigins([]string{allowed + "=env://WEIR_SECRET_*,file:///,sealed"})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := snapshot.Compile(&policyv1.Release{OrganizationId: "o", GatewayId: "g", ResourceCount: int32(len(file.Resources))}, file.Resources, nil, origins)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func refers(name, upstream, reference string) *policyv1.Provider {
	p := provider(upstream)
	p.Id, p.Name, p.CredentialRef = "p-"+name, name, reference
	return p
}

func byProvider(r *agentv1.CredentialReport) map[string]*agentv1.CredentialStatus {
	found := map[string]*agentv1.CredentialStatus{}
	for _, c := range r.GetCredentials() {
		found[strings.TrimPrefix(c.ProviderId, "p-")] = c
	}
	return found
}

// Every state has a provider here; no report has a value.
func TestCredentialsAreReported(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("WEIR_SECRET_TEST", sealedCanary)
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, []byte(sealedCanary), 0o600); err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(dir, "gateway.key")
	key, err := gatewaykey.Create(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := seal.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	providers := []*policyv1.Provider{
		refers("variable", allowed, "env://WEIR_SECRET_TEST"), refers("unset", allowed, "env://WEIR_SECRET_NOT_SET"),
		refers("file", allowed, "file://"+file), refers("elsewhere", "https://elsewhere.example", "env://WEIR_SECRET_TEST"),
		refers("greedy", allowed, "env://HOME"), refers("none", allowed, ""),
		sealedTo(t, key, allowed, "sealed", func(*seal.Binding) {}), sealedTo(t, stranger.Public(), allowed, "stranger", func(*seal.Binding) {}),
		sealedTo(t, key, allowed, "moved", func(b *seal.Binding) { b.GatewayID = "another" }),
	}
	c := healthOf(t, Config{StateDir: dir, GatewayKeyFile: keyFile})
	policy := compiled(t, providers...)
	c.secrets.Prepare(policy.References(), 0)
	first := byProvider(c.report(policy, time.Now()))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); c.secrets.Status("file://"+file).Err == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody saw that the file is gone")
		}
	}
	report := c.report(policy, time.Now().Add(time.Minute))
	got := byProvider(report)
	for name, want := range map[string]struct {
		state  agentv1.CredentialStatus_State
		reason string
	}{
		"variable":  {agentv1.CredentialStatus_STATE_OK, ""},
		"unset":     {agentv1.CredentialStatus_STATE_UNAVAILABLE, "env://WEIR_SECRET_NOT_SET: the variable is not set"},
		"file":      {agentv1.CredentialStatus_STATE_STALE, "the file is not there"},
		"elsewhere": {agentv1.CredentialStatus_STATE_BLOCKED, "origin https://elsewhere.example is not in this agent's list"},
		"greedy":    {agentv1.CredentialStatus_STATE_BLOCKED, "credential reference env://HOME may not be used"},
		"none":      {agentv1.CredentialStatus_STATE_NONE, "the policy has none"},
		"sealed":    {agentv1.CredentialStatus_STATE_OK, ""},
		"stranger":  {agentv1.CredentialStatus_STATE_UNOPENED, "and this agent has " + key.Fingerprint().String()},
		"moved":     {agentv1.CredentialStatus_STATE_UNOPENED, "does not open for organization o, gateway g"},
	} {
		is := got[name]
		if is.GetState() != want.state || !strings.Contains(is.GetReason(), want.reason) {
			t.Errorf("%s: %v", name, is)
		}
		usable := want.state == agentv1.CredentialStatus_STATE_OK || want.state == agentv1.CredentialStatus_STATE_STALE
		if (is.GetFingerprint() != "") != usable || usable && is.GetFingerprint() != first[name].GetFingerprint() {
			t.Errorf("%s: fingerprint %q, before %q", name, is.GetFingerprint(), first[name].GetFingerprint())
		}
		if (want.state == agentv1.CredentialStatus_STATE_OK) != (is.GetSinceMs() == 0) {
			t.Errorf("%s: since %d ms", name, is.GetSinceMs())
		}
	}
	if last := report.Credentials[len(report.Credentials)-1]; last.State != agentv1.CredentialStatus_STATE_OK {
		t.Errorf("the last one is %v", last)
	}
	text, err := protojson.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	wantNowhere(t, filepath.Dir(keyFile), string(text))
}

// Agents make the same fingerprints when they share a key, by file or by gateway.
func TestFingerprintsAreSharedByWhoSharesAKey(t *testing.T) {
	t.Setenv("WEIR_SECRET_TEST", "value")
	dir := t.TempDir()
	shared, keyFile := filepath.Join(dir, "shared"), filepath.Join(dir, "gateway.key")
	if err := os.WriteFile(shared, append(bytes.Repeat([]byte("k"), 32), '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := gatewaykey.Create(keyFile); err != nil {
		t.Fatal(err)
	}
	policy := compiled(t, refers("variable", allowed, "env://WEIR_SECRET_TEST"))
	made := func(c Config) string {
		is := byProvider(healthOf(t, c).report(policy, time.Now()))["variable"]
		return is.GetFingerprintKey() + " " + is.GetFingerprint()
	}
	own := t.TempDir()
	pairs := map[string][2]string{
		"file":    {made(Config{StateDir: t.TempDir(), FingerprintKeyFile: shared, GatewayKeyFile: keyFile}), made(Config{StateDir: t.TempDir(), FingerprintKeyFile: shared})},
		"gateway": {made(Config{StateDir: t.TempDir(), GatewayKeyFile: keyFile}), made(Config{StateDir: t.TempDir(), GatewayKeyFile: keyFile})},
		"restart": {made(Config{StateDir: own}), made(Config{StateDir: own})},
	}
	apart := map[string]bool{made(Config{StateDir: t.TempDir()}): true}
	for name, pair := range maps.All(pairs) {
		if pair[0] != pair[1] || len(pair[0]) != 16+1+32 {
			t.Errorf("%s: %q and %q", name, pair[0], pair[1])
		}
		apart[pair[0]] = true
	}
	if len(apart) != 4 {
		t.Errorf("different keys made %v", apart)
	}
	if _, err := newKeySource(Config{FingerprintKeyFile: filepath.Join(dir, "nowhere")}, gatewaykey.NewOpener("", slog.New(slog.DiscardHandler))); err == nil {
		t.Error("a key file that is not there was not said")
	}
}

func TestAReportOfManyCredentialsIsBounded(t *testing.T) {
	var providers []*policyv1.Provider
	for n := range maxCredentials {
		providers = append(providers, refers(fmt.Sprint(n), allowed, ""))
	}
	t.Setenv("WEIR_SECRET_TEST", "value")
	providers = append(providers, refers("fine", allowed, "env://WEIR_SECRET_TEST"))
	r := healthOf(t, Config{StateDir: t.TempDir()}).report(compiled(t, providers...), time.Now())
	if len(r.Credentials) != maxCredentials || r.LeftOut != 1 || byProvider(r)["fine"] != nil {
		t.Errorf("%d credentials, %d left out", len(r.Credentials), r.LeftOut)
	}
	if got := shortened(strings.Repeat("é", 501)); len([]rune(got)) != maxReason {
		t.Errorf("%d characters", len([]rune(got)))
	}
}
