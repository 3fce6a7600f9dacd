package outage_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/deploy/local/stack"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const week = 7 * 24 * time.Hour

// Control plane and Postgres are away, for a week as far as agents can tell, and agents
// restart meanwhile: no request fails. Then everything is as before.
func TestEverythingAway(t *testing.T) {
	f := newFleet(t)
	f.serves("gpt-4o-mini")
	callers := f.call()
	f.ControlPlane.Kill()
	f.Postgres.Kill()
	for _, agent := range f.agents {
		agent.Process.Stop()
		f.age(agent, week)
		must(t, agent.Start(t.Context()))
		f.saysItsAge(agent)
	}
	time.Sleep(2 * time.Second) // requests, not an event, are waited for
	asked, failed := callers.end()
	t.Logf("%d requests while everything was away", asked)
	if asked < 200 || len(failed) > 0 {
		t.Errorf("%d of %d requests failed: %v", len(failed), asked, failed[:min(3, len(failed))])
	}
	must(t, f.StartPostgres(t.Context()))
	must(t, f.StartControlPlane(t.Context()))
	f.serves("gpt-4o")
}

// saysItsAge: a key that the old policy does not know is told how old that is.
func (f *fleet) saysItsAge(agent *stack.Agent) {
	f.t.Helper()
	unknown := f.key[:len(f.key)-12] + "000000" + f.key[len(f.key)-6:]
	_, err := ask(f.t.Context(), agent, unknown)
	if err == nil || !strings.HasPrefix(err.Error(), "401") {
		f.t.Errorf("an unknown key under an old policy: %v", err)
	}
	f.t.Log(err)
}

// A control plane that was restored from an older backup is followed: its epoch is
// newer, whatever its versions are.
func TestRestoredFromOlderBackup(t *testing.T) {
	f := newFleet(t)
	f.serves("gpt-4o-mini")
	must(t, f.Command(t.Context(), "backup", filepath.Join(f.Dir, "backup")))
	revoked, text := f.newKey("leaked")
	f.within(10*time.Second, "a new key works", func() error { _, err := ask(t.Context(), f.agents[0], text); return err })
	_, err := f.keys.RevokeKey(t.Context(), connect.NewRequest(&adminv1.RevokeKeyRequest{Id: revoked}))
	must(t, err)
	f.within(10*time.Second, "a revoked key is refused", func() error { return f.refused(text) })
	f.serves("gpt-4o") // so that versions are behind afterwards
	f.serves("gpt-4o-mini")
	before := f.epochs()

	callers := f.call()
	f.ControlPlane.Kill()
	f.Postgres.Kill()
	must(t, f.EmptyPostgres(t.Context()))
	must(t, f.Command(t.Context(), "restore", filepath.Join(f.Dir, "backup")))
	must(t, f.StartControlPlane(t.Context()))
	f.serves("gpt-4o")
	f.within(15*time.Second, "agents report a newer epoch", func() error {
		after := f.epochs()
		if len(after) != len(before) || slices.Min(after) <= slices.Max(before) {
			return fmt.Errorf("%d before, %d now", before, after)
		}
		return nil
	})
	if err := f.refused(text); err != nil {
		t.Errorf("a key whose revocation was lost with the backup lives again: %v", err)
	}
	if asked, failed := callers.end(); len(failed) > 0 {
		t.Errorf("%d of %d requests failed: %v", len(failed), asked, failed[:min(3, len(failed))])
	}
}

// refused says which agent does not refuse a key as one that is not good.
func (f *fleet) refused(key string) error {
	for i, agent := range f.agents {
		_, err := ask(f.t.Context(), agent, key)
		if err == nil || !strings.HasPrefix(err.Error(), "401") {
			return fmt.Errorf("agent %d: %w", i, errors.Join(err, errors.New("it is not refused")))
		}
	}
	return nil
}
