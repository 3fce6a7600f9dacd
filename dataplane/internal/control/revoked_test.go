package control_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the fleet's own handler says to an agent that was revoked.
func TestRevokedAgent(t *testing.T) {
	r, k, said, dir := startControlPlane(t), &keys{}, &lockedBuffer{}, t.TempDir()
	config := k.config(r, dir)
	config.Log = slog.New(slog.NewTextHandler(said, nil))
	config.Timing.Report, config.Timing.Revoked = 10*time.Millisecond, 50*time.Millisecond
	client, stop := run(t, config)
	eventually(t, "the first policy is served", func() bool { known, _ := k.is("first"); return known })
	if err := client.Revoked(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	r.tell(t, "revoke-agents")
	eventually(t, "the agent knows", func() bool { return client.Revoked() != nil })
	if took := time.Since(began); took > time.Second {
		t.Errorf("it knows after %v", took)
	}
	time.Sleep(500 * time.Millisecond) // it tries again several times
	if n := strings.Count(said.String(), "this agent was revoked"); n != 1 {
		t.Errorf("said %d times:\n%s", n, said)
	}
	if !strings.Contains(client.Revoked().Error(), "agent_revoked") {
		t.Errorf("the reason is %v", client.Revoked())
	}
	if known, _ := k.is("first"); !known {
		t.Error("the last policy is not served any more")
	}
	stop()

	t.Run("serves_its_policy_after_a_restart_too", func(t *testing.T) {
		k := &keys{}
		config := k.config(r, dir)
		client, stop := run(t, config)
		defer stop()
		eventually(t, "the agent knows", func() bool { return client.Revoked() != nil })
		if known, _ := k.is("first"); !known {
			t.Error("the last policy is not served")
		}
	})
	t.Run("its_key_joins_nowhere_and_a_new_one_does", func(t *testing.T) {
		if err := os.Remove(filepath.Join(dir, "identity", "identity.json")); err != nil {
			t.Fatal(err)
		}
		said := &lockedBuffer{}
		config := (&keys{}).config(r, dir)
		config.Log = slog.New(slog.NewTextHandler(said, nil))
		_, stop := run(t, config)
		eventually(t, "the refusal is said with what helps", func() bool {
			return strings.Contains(said.String(), "remove identity/ from the state folder")
		})
		stop()
		if err := os.RemoveAll(filepath.Join(dir, "identity")); err != nil {
			t.Fatal(err)
		}
		client, _ := run(t, (&keys{}).config(r, dir))
		eventually(t, "it is enrolled anew and believed", func() bool { return !client.Freshness().IsZero() && client.Revoked() == nil })
	})
}

// A revoked agent does not call again and again: of a fleet that was let go nobody
// is in a hurry.
func TestRevokedAgent_calls_rarely(t *testing.T) {
	l, p := newLiar(t), &plane{}
	config := p.config(l.url, t.TempDir())
	config.Timing.Report, config.Timing.Revoked = time.Millisecond, time.Hour
	client, _ := run(t, config)
	eventually(t, "the agent watches", func() bool { return l.streams() == 1 })
	l.revokeAgents()
	eventually(t, "the agent knows", func() bool { return client.Revoked() != nil })
	time.Sleep(20 * time.Millisecond) // what is on its way
	before := l.refusals()
	time.Sleep(300 * time.Millisecond)
	if calls := l.refusals() - before; calls > 1 {
		t.Errorf("%d calls in 300 ms", calls)
	}
}
