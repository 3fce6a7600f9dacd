package house_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/house"
)

var quiet = slog.New(slog.DiscardHandler)

func load(t *testing.T, path string) *house.Keys {
	t.Helper()
	keys, err := house.Load(path, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestLoad(t *testing.T) {
	t.Run("made_once_0600_and_said", func(t *testing.T) {
		var said bytes.Buffer
		log := slog.New(slog.NewTextHandler(&said, nil))
		path := filepath.Join(t.TempDir(), "new", "house.key")
		first, err := house.Load(path, log)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(said.String(), path) {
			t.Errorf("log does not name the new key: %s", said.String())
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 || info.Size() != 32 {
			t.Errorf("mode %v, %d bytes", info.Mode().Perm(), info.Size())
		}
		said.Reset()
		second, err := house.Load(path, log)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.IDs(), second.IDs()); diff != "" || said.Len() > 0 {
			t.Errorf("second load: %s log %q", diff, said.String())
		}
	})
	t.Run("only_a_mode_that_is_too_open_is_said", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "house.key")
		for mode, open := range map[os.FileMode]bool{0o400: false, 0o440: false, 0o460: true, 0o604: true} {
			var said bytes.Buffer
			if err := errors.Join(os.WriteFile(path, make([]byte, 32), 0o600), os.Chmod(path, mode)); err != nil {
				t.Fatal(err)
			}
			if _, err := house.Load(path, slog.New(slog.NewTextHandler(&said, nil))); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(said.String(), "chmod 600") != open {
				t.Errorf("mode %v: log %q", mode, said.String())
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("wrong_sizes_are_refused", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "house.key")
		for _, size := range []int{0, 5, 33, 17 * 32} {
			if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := house.Load(path, quiet); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
	})
	t.Run("a_command_makes_no_file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "house.key")
		if _, err := house.Open(path, quiet); err == nil {
			t.Error("opened what is not there")
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("made a file")
		}
	})
}

func TestWrap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "house.key")
	keys := load(t, path)
	wrapped := keys.Wrap([]byte("here"), []byte("secret"))

	t.Run("opens_for_what_it_is_bound_to_only", func(t *testing.T) {
		if got, err := keys.Unwrap([]byte("here"), wrapped); err != nil || string(got) != "secret" {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := keys.Unwrap([]byte("there"), wrapped); err == nil {
			t.Error("opened elsewhere")
		}
		if bytes.Contains(wrapped.Bytes, []byte("secret")) {
			t.Error("the secret shows")
		}
	})
	t.Run("another_file_is_named", func(t *testing.T) {
		other := filepath.Join(t.TempDir(), "other.key")
		_, err := load(t, other).Unwrap([]byte("here"), wrapped)
		if !errors.Is(err, house.ErrUnknownKey) {
			t.Fatalf("got %v", err)
		}
		for _, named := range []string{other, wrapped.KeyID, load(t, other).IDs()[0]} {
			if !strings.Contains(err.Error(), named) {
				t.Errorf("%q does not name %s", err, named)
			}
		}
	})
	t.Run("a_running_process_follows_the_file", func(t *testing.T) {
		running := load(t, path)
		id, err := load(t, path).Add()
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := load(t, path).Wrap([]byte("here"), []byte("newer"))
		if elsewhere.KeyID != id {
			t.Errorf("wrapped under %s, the newest is %s", elsewhere.KeyID, id)
		}
		if got, err := running.Unwrap([]byte("here"), elsewhere); err != nil || string(got) != "newer" {
			t.Errorf("got %q, %v", got, err)
		}
		if made := running.Wrap([]byte("here"), []byte("x")); made.KeyID != id {
			t.Errorf("it wraps under %s still", made.KeyID)
		}
		if got, err := running.Unwrap([]byte("here"), wrapped); err != nil || string(got) != "secret" {
			t.Errorf("the old key: %q, %v", got, err)
		}
	})
	t.Run("a_key_is_dropped_unless_it_is_the_newest", func(t *testing.T) {
		keys := load(t, path)
		ids := keys.IDs()
		if len(ids) != 2 {
			t.Fatalf("%d keys", len(ids))
		}
		if err := keys.Drop(ids[0]); err == nil {
			t.Error("dropped the newest")
		}
		if err := keys.Drop("unknown"); err == nil {
			t.Error("dropped what is not there")
		}
		if err := keys.Drop(ids[1]); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ids[:1], load(t, path).IDs()); diff != "" {
			t.Error(diff)
		}
	})
}
