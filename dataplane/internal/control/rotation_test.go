package control_test

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// pinned are the ids of the keys that the identity on disk believes.
func pinned(t *testing.T, dir string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "identity", "identity.json"))
	if err != nil {
		return nil // not enrolled yet
	}
	var stored struct {
		SigningKeys map[string][]byte `json:"signing_keys"`
	}
	if err := json.Unmarshal(content, &stored); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for id := range stored.SigningKeys {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func TestSigningKeyRotation_with_the_real_control_plane(t *testing.T) {
	r, k, dir := startControlPlane(t), &keys{}, t.TempDir()
	_, stop := run(t, k.config(r, dir))
	known := func(text string) func() bool {
		return func() bool { known, _ := k.is(text); return known }
	}
	eventually(t, "the first policy is served", known("first"))
	eventually(t, "one key is believed", func() bool { return len(pinned(t, dir)) == 1 })
	old := pinned(t, dir)[0]

	r.tell(t, "announce-signing-key")
	eventually(t, "the announced key is believed, too", func() bool { return len(pinned(t, dir)) == 2 })
	r.tell(t, "add-key while announced")
	eventually(t, "policies are served while two keys are believed", known("while announced"))

	stop() // the agent is away while the key takes over
	r.tell(t, "retire-signing-key")
	r.tell(t, "add-key signed by the new one")
	r.tell(t, "revoke first")
	_, stop = run(t, k.config(r, dir))
	eventually(t, "a policy of the new key is served", known("signed by the new one"))
	eventually(t, "a revocation of the new key is in force", func() bool { _, revoked := k.is("first"); return revoked })
	eventually(t, "the old key is believed no more", func() bool {
		now := pinned(t, dir)
		return len(now) == 1 && now[0] != old
	})
	stop()

	t.Run("a_cold_start_serves_what_is_on_disk", func(t *testing.T) {
		for _, remove := range []string{"", "a", "b"} { // one slot is signed by the old key
			cold := t.TempDir()
			if err := os.CopyFS(cold, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			if remove != "" {
				os.Remove(filepath.Join(cold, "policy", remove))
			}
			config := (&keys{}).config(r, cold)
			config.URL = "http://127.0.0.1:1"
			client, err := control.New(config)
			if err != nil {
				t.Fatal(err)
			}
			if !client.LoadPolicy() {
				t.Errorf("without slot %q nothing is served", remove)
			}
		}
	})
	t.Run("a_new_agent_enrols", func(t *testing.T) {
		fresh := &keys{}
		run(t, fresh.config(r, t.TempDir()))
		eventually(t, "the policy is served", func() bool { known, _ := fresh.is("signed by the new one"); return known })
	})
}

// signedBy makes a release of a draft, signed with a key under an id.
func signedBy(key ed25519.PrivateKey, id string, d *draft) *agentv1.Snapshot {
	l := &liar{key: key}
	s := l.sign(d)
	s.Release.SigningKeyId, s.Revocations.SigningKeyId = id, id
	return s
}

func announcing(version int64, keys map[string]ed25519.PrivateKey) *draft {
	d := newDraft(version)
	for id, key := range keys {
		d.header.SigningKeys = append(d.header.SigningKeys, &policyv1.SigningKey{Id: id, PublicKey: key.Public().(ed25519.PublicKey)})
	}
	return d
}

func TestSigningKeys(t *testing.T) {
	_, next, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	start := func(t *testing.T) (*liar, *plane, string) {
		t.Helper()
		l, p, dir := newLiar(t), &plane{}, t.TempDir()
		run(t, p.config(l.url, dir))
		l.snapshot(l.sign(newDraft(1)))
		eventually(t, "version 1 is served", func() bool { v, _ := p.now(); return v == 1 })
		return l, p, dir
	}
	t.Run("a_key_that_nobody_announced_is_not_believed", func(t *testing.T) {
		l, p, dir := start(t)
		l.snapshot(signedBy(next, "new", announcing(2, map[string]ed25519.PrivateKey{"new": next})))
		l.rejection(t)
		if v, _ := p.now(); v != 1 || !slices.Equal(pinned(t, dir), []string{"sk"}) {
			t.Errorf("version %d is served, believed are %v", v, pinned(t, dir))
		}
	})
	t.Run("a_release_believes_its_own_signer", func(t *testing.T) {
		l, p, dir := start(t)
		l.snapshot(l.sign(announcing(2, map[string]ed25519.PrivateKey{"new": next})))
		l.rejection(t)
		if v, _ := p.now(); v != 1 || !slices.Equal(pinned(t, dir), []string{"sk"}) {
			t.Errorf("version %d is served, believed are %v", v, pinned(t, dir))
		}
	})
	t.Run("a_retired_key_signs_nothing_more", func(t *testing.T) {
		l, p, dir := start(t)
		l.snapshot(l.sign(announcing(2, map[string]ed25519.PrivateKey{"sk": l.key, "new": next})))
		eventually(t, "both are believed", func() bool { return slices.Equal(pinned(t, dir), []string{"new", "sk"}) })
		l.snapshot(signedBy(next, "new", announcing(3, map[string]ed25519.PrivateKey{"new": next})))
		eventually(t, "the new one only is believed", func() bool { return slices.Equal(pinned(t, dir), []string{"new"}) })
		for range 3 { // a stream that lied ends; what follows it may be lost with it
			l.again(func() { l.snapshot(l.sign(newDraft(4))) })
			time.Sleep(10 * time.Millisecond)
		}
		l.rejection(t)
		if v, _ := p.now(); v != 3 {
			t.Errorf("version %d is served", v)
		}
	})
	t.Run("keys_that_can_not_be_stored_are_told", func(t *testing.T) {
		l, p, dir := start(t)
		identity := filepath.Join(dir, "identity")
		if err := os.Rename(identity, identity+".away"); err != nil {
			t.Fatal(err)
		}
		l.snapshot(l.sign(announcing(2, map[string]ed25519.PrivateKey{"sk": l.key, "new": next})))
		if said := l.rejection(t).GetReasons(); !slices.Contains(said, "its signing keys are not stored") {
			t.Errorf("said %q", said)
		}
		if v, _ := p.now(); v != 2 {
			t.Errorf("version %d is served", v)
		}
		if err := os.Rename(identity+".away", identity); err != nil {
			t.Fatal(err)
		}
		l.heartbeat()
		eventually(t, "they are stored when that works again", func() bool { return len(pinned(t, dir)) == 2 })
	})
}
