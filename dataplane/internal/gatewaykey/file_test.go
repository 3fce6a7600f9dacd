package gatewaykey

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCreate(t *testing.T) {
	path, public := created(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	keys, err := Read(path)
	if err != nil || len(keys) != 1 || keys[0].Public().Fingerprint() != public.Fingerprint() {
		t.Errorf("%v, %v", keys, err)
	}
	before := read(t, path)
	if _, err := Create(path); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("error %v", err)
	}
	if read(t, path) != before {
		t.Error("the key was written over")
	}
}

func TestRead(t *testing.T) {
	path, _ := created(t)
	good := read(t, path)
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		want string // of the error; empty: none
	}{
		"alone":                 {good, 0o600, ""},
		"mounted_for_a_group":   {good, 0o440, ""},
		"windows_lines":         {strings.ReplaceAll(good, "\n", "\r\n"), 0o600, ""},
		"readable_by_others":    {good, 0o604, "mode is 0604"},
		"writable_by_the_group": {good, 0o660, "mode is 0660"},
		"empty":                 {"", 0o600, "0 keys"},
		"only_comments":         {"# weirgk_", 0o600, "0 keys"},
		"too_many":              {strings.Repeat(good, maxKeys+1), 0o600, "17 keys"},
		"another_line":          {good + "secret-canary", 0o600, "line 3 is no gateway key"},
		"short_key":             {prefix + "AAAA", 0o600, "line 1: not an X25519 key"},
		"too_large":             {strings.Repeat("#", maxFileBytes+1), 0o600, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			write(t, path, test.text)
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "AAAA")) {
				t.Errorf("it quotes the file: %v", err)
			}
		})
	}
}
