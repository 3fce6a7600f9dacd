package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/gatewaykey"
	"github.com/weirhq/weir/dataplane/internal/redact"
)

// A user's hash is that of the agents' key: of the file that they share, of each of the
// gateway's keys, or of an agent's own.
func TestHashUser(t *testing.T) {
	dir := t.TempDir()
	secret := strings.Repeat("k", 32)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	shared, gateway := write("shared", secret+"\n"), filepath.Join(dir, "gateway")
	write("fingerprint.key", strings.Repeat("o", 32))
	if _, err := gatewaykey.Create(gateway); err != nil {
		t.Fatal(err)
	}
	of := func(from string) string {
		h, err := redact.NewHasher([]byte(from))
		if err != nil {
			t.Fatal(err)
		}
		return h.Of("ada@example.org") + "\n"
	}
	keys, err := gatewaykey.Read(gateway)
	if err != nil {
		t.Fatal(err)
	}
	first, err := keys[0].Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		command   hashUser
		in, want  string
		wantError string
	}{
		"shared":   {hashUser{FingerprintKeyFile: shared, GatewayKeyFile: gateway, StateDir: dir, User: "ada@example.org"}, "", of(secret), ""},
		"gateway":  {hashUser{GatewayKeyFile: gateway, StateDir: dir, User: "ada@example.org"}, "", of(string(first)), ""},
		"own":      {hashUser{StateDir: dir, User: "ada@example.org"}, "", of(strings.Repeat("o", 32)), ""},
		"by_input": {hashUser{FingerprintKeyFile: shared}, "ada@example.org\r\n", of(secret), ""},
		"nobody":   {hashUser{FingerprintKeyFile: shared}, "\n", "", "1 to 128 bytes"},
		"too_long": {hashUser{FingerprintKeyFile: shared, User: strings.Repeat("u", 129)}, "", "", "1 to 128 bytes"},
		"no_key":   {hashUser{User: "u"}, "", "", "WEIR_FINGERPRINT_KEY_FILE"},
		"nowhere":  {hashUser{StateDir: filepath.Join(dir, "none"), User: "u"}, "", "", "own key"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := test.command.Run(strings.NewReader(test.in), &out)
			if out.String() != test.want || (err != nil) != (test.wantError != "") || err != nil && !strings.Contains(err.Error(), test.wantError) {
				t.Errorf("printed %q, want %q: %v", &out, test.want, err)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("it made a folder")
	}
}
