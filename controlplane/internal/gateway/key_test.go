package gateway_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/proto/contract/seal"
)

func TestSetKey(t *testing.T) {
	private, err := seal.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public := private.Public()
	g := gateway.Gateway{ID: uuid.New(), Name: "prod", Region: "local", CreatedAt: now}
	if fingerprint, set := g.KeyFingerprint(); set {
		t.Errorf("before: %s", fingerprint)
	}
	changes, err := g.SetKey(public.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	set := apply(t, g, changes)
	if fingerprint, ok := set.KeyFingerprint(); !ok || fingerprint != public.Fingerprint() {
		t.Errorf("after: %s, %v", fingerprint, ok)
	}
	if changes, err := set.SetKey(public.Bytes()); changes != nil || err != nil {
		t.Errorf("said twice: %v, %v", changes, err)
	}
	restored, err := set.Restore(false, false)
	if err != nil {
		t.Fatal(err)
	}
	if back := apply(t, gateway.Gateway{}, restored); !bytes.Equal(back.PublicKey, public.Bytes()) {
		t.Errorf("restored with %x", back.PublicKey)
	}
	for name, bad := range map[string][]byte{"short": public.Bytes()[:31], "zeros": make([]byte, 32), "low_order": append([]byte{1}, make([]byte, 31)...), "none": nil} {
		if changes, err := g.SetKey(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, %v", name, changes, err)
		}
	}
}

func apply(t *testing.T, g gateway.Gateway, changes []eventlog.Change) gateway.Gateway {
	t.Helper()
	for _, change := range changes {
		var err error
		if g, err = gateway.Apply(g, eventlog.Event{Subject: change.Subject, Body: change.Body, RecordedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	return g
}
