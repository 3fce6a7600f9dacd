package control_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/secret"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// seed is a policy file of the draft, and what verifies it.
func (l *liar) seed(t *testing.T, d *draft) control.Seed {
	t.Helper()
	s := l.sign(d)
	body, err := proto.Marshal(&policyv1.PolicyFile{Release: s.Release, Resources: s.Resources, Revocations: s.Revocations})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	path := filepath.Join(t.TempDir(), "seed")
	write(t, path, slices.Concat([]byte("weirpol1"), sum[:], body))
	return control.Seed{Path: path, Keys: map[string]ed25519.PublicKey{"sk": l.key.Public().(ed25519.PublicKey)}}
}

// begin starts a client on a folder and a seed with nobody to call.
func begin(t *testing.T, dir string, seed control.Seed) (p *plane, served bool, said string) {
	t.Helper()
	var log bytes.Buffer
	p = &plane{}
	config := p.config("http://127.0.0.1:1", dir)
	config.Seed, config.Log = seed, slog.New(slog.NewTextHandler(&log, nil))
	client, err := control.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p, client.LoadPolicy(), log.String()
}

func revoking(version, revocations int64) *draft {
	d := newDraft(version)
	d.revocations = revoked(1, revocations)
	return d
}

func TestSeedOfAnAgentThatNeverEnrolled(t *testing.T) {
	l := newLiar(t)
	seed := l.seed(t, revoking(5, 2))
	p, served, said := begin(t, t.TempDir(), seed)
	if v, r := p.now(); !served || v != 5 || r != 2 {
		t.Fatalf("version %d, revocations %d: %s", v, r, said)
	}
	t.Run("needs_keys_from_elsewhere", func(t *testing.T) {
		_, served, said := begin(t, t.TempDir(), control.Seed{Path: seed.Path})
		if served || !strings.Contains(said, "WEIR_POLICY_KEYS") {
			t.Errorf("served %v: %s", served, said)
		}
		if _, served, said := begin(t, t.TempDir(), control.Seed{Path: newLiar(t).seed(t, revoking(5, 2)).Path, Keys: seed.Keys}); served || !strings.Contains(said, "wrong signature") {
			t.Errorf("served what another signed: %s", said)
		}
	})
	t.Run("no_byte_of_it_may_change", func(t *testing.T) {
		whole := read(t, seed.Path)
		bad := seed
		bad.Path = filepath.Join(t.TempDir(), "bad")
		for at := range whole {
			flipped := bytes.Clone(whole)
			flipped[at] ^= 1 << rand.IntN(8)
			write(t, bad.Path, flipped)
			if _, served, _ := begin(t, t.TempDir(), bad); served {
				t.Fatalf("served with byte %d changed", at)
			}
			write(t, bad.Path, whole[:at])
			if _, served, _ := begin(t, t.TempDir(), bad); served {
				t.Fatalf("served when cut to %d bytes", at)
			}
		}
		if _, served, said := begin(t, t.TempDir(), control.Seed{Path: t.TempDir(), Keys: seed.Keys}); served || !strings.Contains(said, "not a regular file") {
			t.Errorf("a folder: %s", said)
		}
	})
}

// The newest wins, wherever it is; revocations are the latest of all.
func TestSeedBesideSlots(t *testing.T) {
	for name, c := range map[string]struct {
		version, revocations     int64
		wantVersion, wantRevoked int64
	}{
		"an_older_seed":                         {1, 0, 2, 3},
		"an_older_seed_with_later_revocations":  {1, 9, 2, 9},
		"the_same_with_later_revocations":       {2, 9, 2, 9},
		"a_newer_seed":                          {8, 9, 8, 9},
		"a_newer_seed_with_earlier_revocations": {8, 1, 8, 3},
	} {
		t.Run(name, func(t *testing.T) {
			l, dir := storedBy(t)
			p, served, said := begin(t, dir, l.seed(t, revoking(c.version, c.revocations)))
			if v, r := p.now(); !served || v != c.wantVersion || r != c.wantRevoked {
				t.Fatalf("version %d, revocations %d: %s", v, r, said)
			}
			again, _, _ := begin(t, dir, control.Seed{})
			if v, r := again.now(); v != c.wantVersion || r != c.wantRevoked {
				t.Errorf("without the file version %d, revocations %d", v, r)
			}
		})
	}
	t.Run("is_as_fresh_as_the_last_word_of_the_control_plane", func(t *testing.T) {
		l, dir := storedBy(t)
		seed := l.seed(t, revoking(8, 9))
		begin(t, dir, seed)
		for _, seed := range []control.Seed{seed, {}} {
			config := (&plane{}).config("http://127.0.0.1:1", dir)
			config.Seed = seed
			client, err := control.New(config)
			if err != nil {
				t.Fatal(err)
			}
			if !client.LoadPolicy() || !client.Freshness().IsZero() {
				t.Errorf("fresh at %v", client.Freshness())
			}
		}
	})
	t.Run("one_by_a_retired_key", func(t *testing.T) {
		l, dir := storedBy(t)
		retire(t, dir, newLiar(t))
		p, served, said := begin(t, dir, l.seed(t, revoking(9, 9)))
		if v, r := p.now(); !served || v != 2 || r != 3 || !strings.Contains(said, "not pinned") {
			t.Errorf("version %d, revocations %d: %s", v, r, said)
		}
		exported, err := control.Export(dir)
		if err != nil || len(exported.Keys) != 2 { // the slot needs it
			t.Errorf("%v, %v", exported, err)
		}
	})
	t.Run("one_of_another_gateway", func(t *testing.T) {
		l, dir := storedBy(t)
		d := revoking(9, 0)
		d.header.GatewayId = "another"
		p, served, said := begin(t, dir, l.seed(t, d))
		if v, _ := p.now(); !served || v != 2 || !strings.Contains(said, `for gateway \"another\", this agent is of another`) {
			t.Errorf("version %d: %s", v, said)
		}
	})
	t.Run("the_older_slot_is_the_next_to_go", func(t *testing.T) {
		l, dir := storedBy(t)
		begin(t, dir, l.seed(t, revoking(8, 9)))
		write(t, filepath.Join(dir, "policy", "a"), nil)
		p, _, said := begin(t, dir, control.Seed{})
		if v, _ := p.now(); v != 2 {
			t.Errorf("version %d: %s", v, said)
		}
	})
}

// storedBy is a state folder with versions 1 and 2, revocations up to 3, and who signed.
func storedBy(t *testing.T) (*liar, string) {
	t.Helper()
	l, p, dir := newLiar(t), &plane{}, t.TempDir()
	_, stop := run(t, p.config(l.url, dir))
	l.snapshot(l.sign(revoking(1, 0)))
	l.snapshot(l.sign(revoking(2, 3)))
	eventually(t, "version 2 is served", func() bool { v, _ := p.now(); return v == 2 })
	stop()
	return l, dir
}

// retire has the agent believe another's key, and its own signer for its slots only.
func retire(t *testing.T, dir string, other *liar) {
	t.Helper()
	path := filepath.Join(dir, "identity", "identity.json")
	var identity map[string]any
	if err := json.Unmarshal(read(t, path), &identity); err != nil {
		t.Fatal(err)
	}
	identity["former_signing_keys"] = identity["signing_keys"]
	identity["signing_keys"] = map[string][]byte{"sk2": other.key.Public().(ed25519.PublicKey)}
	changed, err := json.Marshal(identity)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, changed)
}

func TestSeededAgentEnrols(t *testing.T) {
	l, p, dir := newLiar(t), &plane{}, t.TempDir()
	config := p.config(l.url, dir)
	config.Seed = l.seed(t, revoking(5, 2))
	_, stop := run(t, config)
	if v, _ := p.now(); v != 5 {
		t.Fatalf("version %d", v)
	}
	eventually(t, "it watches with what it has", func() bool { return l.lastWatch().GetHave().GetVersion() == 5 })
	l.heartbeat()
	l.snapshot(l.sign(revoking(6, 4)))
	eventually(t, "version 6 is served", func() bool { v, r := p.now(); return v == 6 && r == 4 })
	stop()
	write(t, filepath.Join(dir, "policy", "b"), nil) // the seed went into a, version 6 into b
	again, _, said := begin(t, dir, control.Seed{})
	if v, r := again.now(); v != 5 || r != 4 { // no damage takes revocations back
		t.Errorf("version %d, revocations %d: %s", v, r, said)
	}
}

func TestSeededAgentOfAnotherGateway(t *testing.T) {
	l, p, dir := newLiar(t), &plane{}, t.TempDir()
	d := revoking(5, 2)
	d.header.GatewayId, d.revocations.GatewayId = "another", "another"
	config := p.config(l.url, dir)
	config.Seed = l.seed(t, d)
	client, err := control.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if !client.LoadPolicy() {
		t.Fatal("not served")
	}
	ctx, stop := context.WithTimeout(t.Context(), 15*time.Second)
	defer stop()
	err = client.Run(ctx)
	if err == nil || !strings.Contains(err.Error(), "the enrolment token is of gateway "+gateway) || !strings.Contains(err.Error(), "of gateway another") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "identity", "identity.json")); err == nil {
		t.Error("it keeps an identity that does not fit")
	}
	if _, err := os.Stat(filepath.Join(dir, "identity", "key")); err == nil {
		t.Error("it keeps the key that joined the other gateway")
	}
}

// Without a token there is nothing to try again.
func TestSeededAgentWithoutAToken(t *testing.T) {
	l, p, said := newLiar(t), &plane{}, &lockedBuffer{}
	config := p.config(l.url, t.TempDir())
	config.Seed, config.Log, config.Token = l.seed(t, revoking(5, 2)), slog.New(slog.NewTextHandler(said, nil)), secret.Value{}
	client, err := control.New(config)
	if err != nil {
		t.Fatal(err)
	}
	client.LoadPolicy()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- client.Run(ctx) }()
	eventually(t, "it says so", func() bool { return strings.Contains(said.String(), "without being enrolled") })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if strings.Contains(said.String(), "not enrolled\" error") {
		t.Errorf("it tries: %s", said)
	}
}

func TestExport(t *testing.T) {
	l, dir := storedBy(t)
	whole, newest := read(t, filepath.Join(dir, "policy", "b")), filepath.Join(dir, "policy", "b")
	exported, err := control.Export(dir)
	if err != nil {
		t.Fatal(err)
	}
	if exported.Version != 2 || exported.RevocationVersion != 3 || exported.GatewayID != gateway || exported.Resources != 2 {
		t.Errorf("%+v", exported)
	}
	if !bytes.Equal(exported.File, whole) {
		t.Error("it is not the bytes of the slot")
	}
	keys, err := control.ParseSigningKeys(exported.Keys)
	if err != nil || !keys["sk"].Equal(l.key.Public()) {
		t.Errorf("keys %v, %v", exported.Keys, err)
	}
	path := filepath.Join(t.TempDir(), "seed")
	write(t, path, exported.File)
	p, served, said := begin(t, t.TempDir(), control.Seed{Path: path, Keys: keys})
	if v, r := p.now(); !served || v != 2 || r != 3 {
		t.Errorf("version %d, revocations %d: %s", v, r, said)
	}
	t.Run("has_the_revocations_of_a_damaged_slot", func(t *testing.T) {
		damaged := bytes.Clone(whole)
		damaged[10] ^= 1
		write(t, newest, damaged)
		exported, err := control.Export(dir)
		if err != nil || exported.Version != 1 || exported.RevocationVersion != 3 {
			t.Errorf("%+v, %v", exported, err)
		}
	})
	if _, err := control.Export(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no identity") {
		t.Errorf("of nobody: %v", err)
	}
	for _, bad := range []string{"", "sk", "=AAAA", "sk=AAAA", "sk=!"} {
		if _, err := control.ParseSigningKeys([]string{bad}); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
}
