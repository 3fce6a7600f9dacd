package gatewaykey

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/seal"
)

const canary = "sk-canary-credential"

var binding = seal.Binding{OrganizationID: "o", GatewayID: "g", ProviderID: "p", Origin: "https://api.openai.com", Version: 1}

func sealedFor(t *testing.T, to seal.PublicKey, credential string) snapshot.Sealed {
	t.Helper()
	made, err := seal.Seal(to, binding, []byte(credential))
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Sealed{Binding: binding, Bytes: string(made)}
}

// created is a file with a new key.
func created(t *testing.T) (string, seal.PublicKey) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.key")
	public, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, public
}

type bench struct {
	*Opener
	t   *testing.T
	log strings.Builder
	at  time.Time
}

func open(t *testing.T, path string) *bench {
	b := &bench{t: t, at: time.Now()}
	b.Opener = NewOpener(path, slog.New(slog.NewTextHandler(&b.log, nil)))
	b.now = func() time.Time { return b.at }
	t.Cleanup(func() {
		if strings.Contains(b.log.String(), canary) || strings.Contains(b.log.String(), prefix) {
			t.Errorf("logged %s", b.log.String())
		}
	})
	return b
}

func (b *bench) pass() { b.at = b.at.Add(2 * recheck) }

func (b *bench) opens(s snapshot.Sealed) {
	b.t.Helper()
	if value, err := b.Open(s); err != nil || value.Reveal() != canary {
		b.t.Errorf("opened %q, %v", value.Reveal(), err)
	}
}

// refuses checks that the reason is said, and nothing secret.
func (b *bench) refuses(s snapshot.Sealed, reason string) {
	b.t.Helper()
	value, err := b.Open(s)
	if !errors.Is(err, secret.ErrUnavailable) || !strings.Contains(err.Error(), reason) || value.Reveal() != "" || strings.Contains(err.Error(), canary) {
		b.t.Errorf("opened %q, %v; want %q", value.Reveal(), err, reason)
	}
}

func TestOpener(t *testing.T) {
	path, public := created(t)
	b := open(t, path)
	good := sealedFor(t, public, canary)
	_, stranger := created(t)
	moved := good
	moved.Binding.ProviderID = "another"
	cut := good
	cut.Bytes = cut.Bytes[:100]
	b.Prepare([]snapshot.Sealed{good, moved})
	b.opens(good)
	b.refuses(moved, "does not open for organization o, gateway g, provider another, https://api.openai.com, version 1")
	b.refuses(cut, seal.ErrFormat.Error())
	b.refuses(sealedFor(t, stranger, canary), stranger.Fingerprint().String()+", and this agent has "+public.Fingerprint().String())
	b.refuses(sealedFor(t, public, "two\nlines"), "control characters")
	if !strings.Contains(b.log.String(), "provider_id=another") {
		t.Errorf("the one that does not open is not logged: %s", b.log.String())
	}
	t.Run("a_known_one_takes_no_memory", func(t *testing.T) {
		if n := testing.AllocsPerRun(100, func() { _, _ = b.Open(good) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
	t.Run("what_the_policy_lost_is_forgotten", func(t *testing.T) {
		b.Prepare(nil)
		if kept := len(b.state.Load().opened); kept != 0 {
			t.Errorf("%d are kept", kept)
		}
		b.opens(good)
	})
}

func TestKeysChangeUnderARunningAgent(t *testing.T) {
	path, first := created(t)
	next, second := created(t)
	b := open(t, path)
	old, fresh := sealedFor(t, first, canary), sealedFor(t, second, canary)
	b.opens(old)
	b.refuses(fresh, "and this agent has")

	both := read(t, path) + read(t, next)
	write(t, path, both)
	b.refuses(fresh, "and this agent has")
	b.pass()
	b.opens(fresh)
	b.opens(old)

	write(t, path, read(t, next))
	b.pass()
	b.opens(fresh)
	b.refuses(old, "and this agent has "+second.Fingerprint().String())

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	b.pass()
	b.opens(fresh)
	write(t, path, "weirgk_nonsense")
	b.pass()
	b.opens(fresh)
	if strings.Count(b.log.String(), "stays in use") != 2 {
		t.Errorf("logged %s", b.log.String())
	}
}

// Requests, policies and changes of the file at once: each gets its own credential.
func TestAtOnce(t *testing.T) {
	path, public := created(t)
	good := sealedFor(t, public, canary)
	moved := good
	moved.Binding.GatewayID = "another"
	o := NewOpener(path, slog.New(slog.DiscardHandler))
	start := time.Now()
	var looks atomic.Int64
	o.now = func() time.Time { return start.Add(time.Duration(looks.Add(1)) * recheck / 10) }
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				if value, err := o.Open(good); err != nil || value.Reveal() != canary {
					t.Errorf("opened %q, %v", value.Reveal(), err)
				}
				if value, err := o.Open(moved); err == nil {
					t.Errorf("opened %q for another gateway", value.Reveal())
				}
			}
		})
	}
	for i := range 50 {
		o.Prepare([]snapshot.Sealed{good, moved}[:i%3])
		if err := os.Chtimes(path, start, start.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
}

func TestWithoutKeys(t *testing.T) {
	path, public := created(t)
	s := sealedFor(t, public, canary)
	open(t, "").refuses(s, "WEIR_GATEWAY_KEY_FILE is not set")
	late := filepath.Join(t.TempDir(), "late")
	b := open(t, late)
	b.refuses(s, "no such file")
	write(t, late, read(t, path))
	b.pass()
	b.opens(s)

	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	b = open(t, path)
	b.refuses(s, "mode is 0644")
	if err := os.Chmod(path, 0o440); err != nil {
		t.Fatal(err)
	}
	b.pass()
	b.opens(s)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
