package control_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
)

// Usage that is left from another gateway goes out in nobody else's name.
func TestEnrolsAtAnotherGatewayOnlyWithAnEmptySpool(t *testing.T) {
	for name, left := range map[string]int64{"left": 2, "empty": 0} {
		t.Run(name, func(t *testing.T) {
			l, p, dir := newLiar(t), &plane{}, t.TempDir()
			d := revoking(5, 2)
			d.header.GatewayId, d.revocations.GatewayId = "another", "another"
			if err := os.Mkdir(filepath.Join(dir, "policy"), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "policy", "a"), read(t, l.seed(t, d).Path))
			config := p.config(l.url, dir)
			config.Spooled = func() control.Spooled { return control.Spooled{Records: left} }
			client, err := control.New(config)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithTimeout(t.Context(), 15*time.Second)
			defer stop()
			go func() {
				<-client.Enrolled()
				stop()
			}()
			err = client.Run(ctx)
			_, enrolled := client.Identity()
			if left == 0 && (err != nil || !enrolled) {
				t.Errorf("enrolled: %t, %v", enrolled, err)
			}
			if left > 0 && (enrolled || err == nil || !strings.Contains(err.Error(), "2 records of usage of gateway another")) {
				t.Errorf("enrolled: %t, %v", enrolled, err)
			}
		})
	}
}

// A folder that came from another gateway with an empty spool keeps nothing of that one: an
// agent that enrols anew at its own gateway later is not held to the one of long ago.
func TestPoliciesOfAnotherGatewayAreDropped(t *testing.T) {
	l, p, dir := newLiar(t), &plane{}, t.TempDir()
	other := newDraft(5)
	other.header.GatewayId, other.revocations.GatewayId = "another", "another"
	if err := os.Mkdir(filepath.Join(dir, "policy"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, slot := range []string{"a", "b"} {
		write(t, filepath.Join(dir, "policy", slot), read(t, l.seed(t, other).Path))
	}
	left := int64(0)
	config := p.config(l.url, dir)
	config.Spooled = func() control.Spooled { return control.Spooled{Records: left} }
	_, stop := run(t, config)
	l.snapshot(l.sign(newDraft(1)))
	eventually(t, "version 1 is served", p.serves(1))
	stop()
	if _, err := os.Stat(filepath.Join(dir, "policy", "b")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the other gateway's policy is still there: %v", err)
	}

	left = 2
	if err := os.RemoveAll(filepath.Join(dir, "identity")); err != nil {
		t.Fatal(err)
	}
	client, _ := run(t, config)
	eventually(t, "it enrols at its own gateway with usage left", func() bool { _, enrolled := client.Identity(); return enrolled })
}
