package alertchannel_test

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var (
	id = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func TestURLs(t *testing.T) {
	local := alertchannel.Networks{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")}
	for _, c := range []struct {
		url      string
		networks alertchannel.Networks
		ok       bool
	}{
		{"https://hooks.example", nil, true},
		{"https://hooks.example:8443/a/b", nil, true},
		{"https://93.184.215.14/", nil, true},
		{"https://[2606:4700::1]/", nil, true},
		{"https://hooks.example:65535/a", nil, true},
		{"https://hooks.example:0/a", nil, false},
		{"https://hooks.example:65536/a", nil, false},
		{"http://hooks.example", nil, false},
		{"http://93.184.215.14", nil, false},
		{"ftp://hooks.example", nil, false},
		{"hooks.example", nil, false},
		{"https://", nil, false},
		{"https:hooks.example", nil, false},
		{"https://user:pass@hooks.example", nil, false},
		{"https://hooks.example?token=x", nil, false},
		{"https://hooks.example?", nil, false},
		{"https://hooks.example#x", nil, false},
		{"https://hooks.example#", nil, false},
		{"https://hooks.example/\n", nil, false},
		{"https://hooks.example/" + strings.Repeat("a", 2000), nil, false},
		{"https://127.0.0.1", nil, false},
		{"https://localhost", nil, false},
		{"https://10.1.2.3", nil, false},
		{"https://[::ffff:10.1.2.3]", nil, false},
		{"https://[::1]", nil, false},
		{"http://localhost:1", nil, false},
		{"http://localhost:1", local, true},
		{"http://127.0.0.1:1", local, true},
		{"https://10.1.2.3", local, true},
		{"http://10.1.2.3", local, false},
		{"https://10.2.2.3", local, false},
	} {
		changes, err := alertchannel.Create(id, alertchannel.Settings{Name: "ops", URL: c.url}, alertchannel.World{Networks: c.networks})
		if (err == nil) != c.ok || (len(changes) == 1) != c.ok || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v, %v", c.url, changes, err)
		}
	}
}

func TestNetworks(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "2606:4700::1": true, "::ffff:1.1.1.1": true,
		"0.0.0.0": false, "10.0.0.1": false, "100.64.0.1": false, "127.0.0.1": false, "169.254.169.254": false, "172.31.0.1": false,
		"192.168.1.1": false, "192.0.2.1": false, "198.19.0.1": false, "224.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::127.0.0.1": false, "64:ff9b::a00:1": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false,
		"ff02::1": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false,
	} {
		if got := (alertchannel.Networks)(nil).Allow(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}

func TestParseSecret(t *testing.T) {
	encode := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, n := range []int{24, 32, 64} {
		if key, err := alertchannel.ParseSecret("whsec_" + encode(n)); err != nil || len(key) != n {
			t.Errorf("%d bytes: got %d, %v", n, len(key), err)
		}
	}
	for _, text := range []string{"", "whsec_", "whsec_" + encode(23), "whsec_" + encode(65), encode(32), "whsec_canary!", "WHSEC_" + encode(32)} {
		_, err := alertchannel.ParseSecret(text)
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDecisions(t *testing.T) {
	ops := alertchannel.Settings{Name: "ops", URL: "https://hooks.example"}
	was := alertchannel.AlertChannel{ID: id, Settings: ops, SecretSetAt: at, CreatedAt: at, Version: 7}
	taken := alertchannel.World{NameTaken: true}
	if _, err := alertchannel.Create(id, ops, taken); !fault.Is(err, fault.Conflict) {
		t.Errorf("create with a taken name: %v", err)
	}
	if _, err := alertchannel.Create(id, alertchannel.Settings{Name: "No", URL: ops.URL}, alertchannel.World{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("create with a bad name: %v", err)
	}
	if changes, err := was.Update(ops, taken); err != nil || changes != nil {
		t.Errorf("update to the same: %v, %v", changes, err)
	}
	if _, err := was.Update(alertchannel.Settings{Name: "dev", URL: ops.URL}, taken); !fault.Is(err, fault.Conflict) {
		t.Errorf("update to a taken name: %v", err)
	}
	if _, err := was.Restore(taken); !fault.Is(err, fault.Conflict) {
		t.Errorf("restore with a taken name: %v", err)
	}
}

// A channel's life, folded from what was decided.
func TestLife(t *testing.T) {
	c := alertchannel.AlertChannel{}
	version := int64(0)
	fold := func(changes []eventlog.Change, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		version++
		if c, err = alertchannel.Apply(c, eventlog.Event{Version: version, Subject: id, RecordedAt: at.Add(time.Duration(version) * time.Hour), Body: changes[0].Body}); err != nil {
			t.Fatal(err)
		}
	}
	fold(alertchannel.Create(id, alertchannel.Settings{Name: "ops", URL: "https://a.example"}, alertchannel.World{}))
	fold(c.Update(alertchannel.Settings{Name: "dev", URL: "https://b.example"}, alertchannel.World{}))
	fold(c.SetSecret(), nil)
	want := alertchannel.AlertChannel{
		ID: id, Settings: alertchannel.Settings{Name: "dev", URL: "https://b.example"},
		SecretSetAt: at.Add(3 * time.Hour), CreatedAt: at.Add(time.Hour), Version: 3,
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	fold(c.Restore(alertchannel.World{}))
	want.SecretSetAt, want.Version = time.Time{}, 4
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("restored: %s", diff)
	}
	if changes, err := c.Archive([]fault.Use{{Thing: "budget", Name: "team"}}); changes != nil || !fault.Is(err, fault.Precondition) {
		t.Errorf("archived in use: %v, %v", changes, err)
	}
	archived, err := c.Archive(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := archived[0].Body.(*eventv1.AlertChannelArchived); !ok {
		t.Error("archived by another event")
	}
	if _, err := alertchannel.Apply(c, eventlog.Event{Body: &eventv1.KeyRevoked{}}); err == nil {
		t.Error("folded another's event")
	}
}
