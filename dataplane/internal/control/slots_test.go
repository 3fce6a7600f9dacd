package control_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"log/slog"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/control"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// stored makes a state folder whose slots hold versions 1 and 2, the second with
// revocations up to 3; a and b are their bytes.
func stored(t *testing.T) (dir string, older, newest string) {
	t.Helper()
	l, p, dir := newLiar(t), &plane{}, t.TempDir()
	_, stop := run(t, p.config(l.url, dir))
	l.snapshot(l.sign(newDraft(1)))
	d := newDraft(2)
	d.revocations = revoked(1, 3)
	l.snapshot(l.sign(d))
	eventually(t, "version 2 is served", func() bool { v, _ := p.now(); return v == 2 })
	stop()
	return dir, filepath.Join(dir, "policy", "a"), filepath.Join(dir, "policy", "b")
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// boot starts a client on the folder with nobody to call.
func boot(t *testing.T, dir string, log *bytes.Buffer) (*plane, *control.Client, bool) {
	t.Helper()
	p := &plane{}
	config := p.config("http://127.0.0.1:1", dir)
	config.Log = slog.New(slog.NewTextHandler(log, nil))
	client, err := control.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return p, client, client.LoadPolicy()
}

func TestSlots(t *testing.T) {
	t.Run("the_newest_is_served_with_the_control_plane_down", func(t *testing.T) {
		dir, _, newest := stored(t)
		then := time.Now().Add(-time.Hour).Truncate(time.Second)
		if err := os.Chtimes(newest, then, then); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		p, client, ok := boot(t, dir, &bytes.Buffer{})
		took := time.Since(began)
		t.Logf("serving %v after the start", took)
		if v, r := p.now(); !ok || v != 2 || r != 3 || took > time.Second {
			t.Errorf("version %d, revocations %d, %v after %v", v, r, ok, took)
		}
		if !client.Freshness().Equal(then) {
			t.Errorf("fresh at %v, want %v", client.Freshness(), then)
		}
	})
	t.Run("every_truncation_falls_back_to_the_other", func(t *testing.T) {
		dir, _, newest := stored(t)
		whole := read(t, newest)
		for n := range whole {
			write(t, newest, whole[:n])
			var said bytes.Buffer
			p, _, ok := boot(t, dir, &said)
			if v, _ := p.now(); !ok || v != 1 {
				t.Fatalf("cut to %d of %d bytes: version %d, %v", n, len(whole), v, ok)
			}
			if !strings.Contains(said.String(), newest) {
				t.Fatalf("cut to %d bytes: the log does not name the slot: %s", n, said.String())
			}
		}
	})
	t.Run("every_flipped_bit_falls_back_to_the_other", func(t *testing.T) {
		dir, _, newest := stored(t)
		whole := read(t, newest)
		for at := range whole {
			flipped := bytes.Clone(whole)
			flipped[at] ^= 1 << rand.IntN(8)
			write(t, newest, flipped)
			p, _, ok := boot(t, dir, &bytes.Buffer{})
			if v, _ := p.now(); !ok || v != 1 {
				t.Fatalf("bit of byte %d flipped: version %d, %v", at, v, ok)
			}
		}
	})
	t.Run("a_damaged_slot_still_gives_its_revocations", func(t *testing.T) {
		dir, _, newest := stored(t)
		damaged := read(t, newest)
		damaged[10] ^= 1 // in the checksum
		write(t, newest, damaged)
		p, _, _ := boot(t, dir, &bytes.Buffer{})
		if v, r := p.now(); v != 1 || r != 3 {
			t.Errorf("version %d, revocations %d, want 1 and 3", v, r)
		}
	})
	t.Run("one_of_a_later_build_falls_back_to_the_other", func(t *testing.T) {
		l, p, dir := newLiar(t), &plane{}, t.TempDir()
		_, stop := run(t, p.config(l.url, dir))
		l.snapshot(l.sign(newDraft(1)))
		eventually(t, "version 1 is served", func() bool { v, _ := p.now(); return v == 1 })
		stop()
		d := newDraft(2)
		d.header.MinimumCapability = control.Capability + 1
		d.revocations = revoked(1, 3)
		s := l.sign(d)
		body, err := proto.Marshal(&policyv1.PolicyFile{Release: s.Release, Resources: s.Resources, Revocations: s.Revocations})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		write(t, filepath.Join(dir, "policy", "b"), slices.Concat([]byte("weirpol1"), sum[:], body))
		var said bytes.Buffer
		again, _, ok := boot(t, dir, &said)
		if v, r := again.now(); !ok || v != 1 || r != 3 || !strings.Contains(said.String(), "upgrade it") {
			t.Errorf("version %d, revocations %d, %v: %s", v, r, ok, said.String())
		}
	})
	t.Run("both_damaged_is_no_policy", func(t *testing.T) {
		dir, older, newest := stored(t)
		write(t, older, nil)
		write(t, newest, []byte("weirpol1"))
		if _, _, ok := boot(t, dir, &bytes.Buffer{}); ok {
			t.Error("something is served")
		}
	})
	t.Run("a_crash_before_the_rename_leaves_the_old_one", func(t *testing.T) {
		dir, _, newest := stored(t)
		left := filepath.Join(dir, "policy", ".a-123")
		write(t, left, read(t, newest)[:100])
		p, _, ok := boot(t, dir, &bytes.Buffer{})
		if v, _ := p.now(); !ok || v != 2 {
			t.Errorf("version %d, %v", v, ok)
		}
		if _, err := os.Stat(left); err == nil {
			t.Error("the leftover is still there")
		}
	})
	t.Run("a_crash_between_write_and_swap_serves_the_new_one", func(t *testing.T) {
		l, p, dir := newLiar(t), &plane{}, t.TempDir()
		config := p.config(l.url, dir)
		compile := config.Compile
		config.Compile = func(r *release, rs []*resource, s *set) (func(), error) {
			swap, err := compile(r, rs, s)
			if r.GetVersion() == 2 {
				swap = func() { panic("killed here") }
			}
			return swap, err
		}
		_, stop := run(t, config)
		l.snapshot(l.sign(newDraft(1)))
		l.snapshot(l.sign(newDraft(2)))
		l.rejection(t)
		stop()
		if v, _ := p.now(); v != 1 {
			t.Errorf("version %d was served", v)
		}
		again, _, ok := boot(t, dir, &bytes.Buffer{})
		if v, _ := again.now(); !ok || v != 2 {
			t.Errorf("version %d after the restart, %v", v, ok)
		}
	})
	t.Run("revocations_are_there_after_a_restart", func(t *testing.T) {
		l, p, dir := newLiar(t), &plane{}, t.TempDir()
		_, stop := run(t, p.config(l.url, dir))
		l.snapshot(l.sign(newDraft(1)))
		l.revoke(l.signSet(revoked(1, 7)))
		l.heartbeat(nil)
		eventually(t, "revocations 7 are in force", func() bool { _, r := p.now(); return r == 7 })
		stop()
		again, _, _ := boot(t, dir, &bytes.Buffer{})
		if v, r := again.now(); v != 1 || r != 7 {
			t.Errorf("version %d, revocations %d", v, r)
		}
	})
}

func TestIdentity(t *testing.T) {
	t.Run("is_kept_private_and_survives", func(t *testing.T) {
		dir, _, _ := stored(t)
		for _, name := range []string{"key", "identity.json"} {
			info, err := os.Stat(filepath.Join(dir, "identity", name))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name, info.Mode().Perm())
			}
		}
		_, client, _ := boot(t, dir, &bytes.Buffer{})
		identity, ok := client.Identity()
		if !ok || identity.OrganizationID != organization || identity.GatewayID != gateway {
			t.Errorf("identity %v, %v", identity.AgentID, ok)
		}
		select {
		case <-client.Enrolled():
		default:
			t.Error("Enrolled waits although there is an identity")
		}
	})
	t.Run("a_damaged_one_is_said_and_not_replaced", func(t *testing.T) {
		dir, _, _ := stored(t)
		write(t, filepath.Join(dir, "identity", "identity.json"), []byte("{"))
		if _, err := control.New((&plane{}).config("http://127.0.0.1:1", dir)); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a_refused_token_is_said_and_tried_again", func(t *testing.T) {
		l, p, said := newLiar(t), &plane{}, &lockedBuffer{}
		l.refuse = connect.NewError(connect.CodeUnauthenticated, errors.New("enrolment_token_expired: it expired"))
		config := p.config(l.url, t.TempDir())
		config.Log = slog.New(slog.NewTextHandler(said, nil))
		client, _ := run(t, config)
		eventually(t, "the refusal is said with what helps", func() bool {
			return strings.Contains(said.String(), "enrolment_token_expired") && strings.Contains(said.String(), "create a new enrolment token")
		})
		if strings.Contains(said.String(), token) {
			t.Error("the token is in the log")
		}
		l.mu.Lock()
		l.refuse = nil
		l.mu.Unlock()
		select {
		case <-client.Enrolled():
		case <-time.After(15 * time.Second):
			t.Error("not enrolled in 15 s")
		}
	})
}
