package main

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/weirhq/weir/dataplane/internal/gatewaykey"
	"github.com/weirhq/weir/proto/contract/seal"
)

const (
	canary = "sk-canary-on-standard-input"
	id     = "0198a5c2-7d3e-7f00-8a11-0123456789ab"
)

// made runs the commands that make a key, and returns its file and public half.
func made(t *testing.T) (file, public, fingerprint string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "gateway.key")
	var told, shown strings.Builder
	if err := (&newGatewayKey{Out: file}).Run(&told); err != nil {
		t.Fatal(err)
	}
	if err := (&showGatewayKey{File: file}).Run(&shown); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(told.String(), shown.String()) || !strings.Contains(told.String(), "SetGatewayKey") {
		t.Errorf("new says %s\nshow says %s", &told, &shown)
	}
	for line := range strings.Lines(shown.String()) {
		name, value, _ := strings.Cut(line, "  ")
		switch value = strings.TrimSpace(value); name {
		case "public key":
			public = value
		case "fingerprint":
			fingerprint = value
		}
	}
	return file, public, fingerprint
}

func TestSeal(t *testing.T) {
	file, public, fingerprint := made(t)
	good := sealing{Organization: id, Gateway: strings.ToUpper(id), Provider: id, BaseURL: "https://API.openai.com:443/v1", Version: 4,
		PublicKey: public, Fingerprint: fingerprint}
	var out strings.Builder
	if err := good.Run(strings.NewReader(canary+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	sealed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := gatewaykey.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := seal.Open(keys[0], seal.Binding{OrganizationID: id, GatewayID: id, ProviderID: id, Origin: "https://api.openai.com", Version: 4}, sealed)
	if err != nil || string(opened) != canary {
		t.Errorf("opened %q, %v", opened, err)
	}
	for name, test := range map[string]struct {
		change func(*sealing)
		given  string
		want   string
	}{
		"no_ids":              {func(s *sealing) { s.Organization, s.Provider = "acme", "openai" }, canary, `"acme" is no id (UUID)` + "\n" + `--provider: "openai"`},
		"no_url":              {func(s *sealing) { s.BaseURL = "api.openai.com" }, canary, "--base-url"},
		"version_zero":        {func(s *sealing) { s.Version = 0 }, canary, "--credential-version"},
		"not_base64":          {func(s *sealing) { s.PublicKey = "!" }, canary, "--public-key"},
		"a_key_that_is_none":  {func(s *sealing) { s.PublicKey = base64.StdEncoding.EncodeToString(make([]byte, 32)) }, canary, "--public-key"},
		"another_fingerprint": {func(s *sealing) { s.Fingerprint = strings.Repeat("0", 32) }, canary, "nothing was sealed"},
		"half_a_fingerprint":  {func(s *sealing) { s.Fingerprint = fingerprint[:20] }, canary, "--fingerprint"},
		"nothing":             {func(*sealing) {}, " \n", "empty"},
		"two_lines":           {func(*sealing) {}, canary + "\n" + canary, "control characters"},
		"too_long":            {func(*sealing) {}, strings.Repeat(canary, 10_000), "want 1 to 8192"},
	} {
		t.Run(name, func(t *testing.T) {
			s, out := good, strings.Builder{}
			test.change(&s)
			err := s.Run(strings.NewReader(test.given), &out)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), canary) || out.Len() > 0 {
				t.Errorf("error %v, want %q; printed %s", err, test.want, &out)
			}
		})
	}
}

// The whole command line knows the command as it is documented.
func TestSealIsACommand(t *testing.T) {
	var all commandLine
	parser, err := kong.New(&all, kong.Vars{"version": "v"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse([]string{"seal", "--organization", id, "--gateway", id, "--provider", id,
		"--base-url", "https://api.openai.com/v1", "--credential-version", "3", "--public-key", "x"})
	if err != nil || all.Seal.Version != 3 {
		t.Errorf("version %d, %v", all.Seal.Version, err)
	}
}
