package snapshot_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// wantReasons compiles and expects each text in a reason of its own.
func wantReasons(t *testing.T, resources []*policyv1.Resource, wants ...string) {
	t.Helper()
	_, err := compile(resources, nil)
	var invalid *snapshot.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("not refused: %v", err)
	}
	for _, want := range wants {
		if !slices.ContainsFunc(invalid.Reasons, func(r string) bool { return strings.Contains(r, want) }) {
			t.Errorf("%q is not among %q", want, invalid.Reasons)
		}
	}
	if len(invalid.Reasons) != len(wants) {
		t.Errorf("%d reasons: %q", len(invalid.Reasons), invalid.Reasons)
	}
}

func TestRotatedKeys(t *testing.T) {
	later := now.Add(time.Hour)
	rotated := func(id, present, previous string, change func(*policyv1.Key)) *policyv1.Resource {
		k := &policyv1.Key{Id: id, ProjectId: "p", Sha256: sum(present), PreviousSha256: sum(previous), PreviousExpiresAt: timestamppb.New(later)}
		change(k)
		return resource(t, "key", id, k)
	}
	p, err := compile(append(good(t),
		rotated("lives", "l-new", "l-old", func(k *policyv1.Key) { k.RouteIds = []string{"r2"} }),
		rotated("expires", "e-new", "e-old", func(k *policyv1.Key) { k.ExpiresAt = timestamppb.New(now.Add(time.Minute)) }),
		rotated("revoked", "r-new", "r-old", func(k *policyv1.Key) { k.RevokedAt = timestamppb.New(now) }),
		rotated("late", "x-new", "x-old", func(*policyv1.Key) {}),
	), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text string
		at   time.Time
		want snapshot.Standing
	}{
		{"l-new", now, snapshot.Good}, {"l-old", now, snapshot.Good},
		{"l-old", later.Add(-time.Nanosecond), snapshot.Good}, {"l-old", later, snapshot.Rotated}, {"l-new", later, snapshot.Good},
		{"e-old", now, snapshot.Good}, {"e-old", now.Add(time.Minute), snapshot.Expired}, {"e-old", later, snapshot.Expired},
		{"r-new", now, snapshot.Revoked}, {"r-old", now, snapshot.Revoked}, {"r-old", later, snapshot.Revoked},
	} {
		if got := standing(p, test.text, test.at); got != test.want {
			t.Errorf("%s at %v: %v, want %v", test.text, test.at, got, test.want)
		}
	}
	key, _ := p.Key([32]byte(sum("l-old")), now)
	if key.ID != "lives" || key.ProjectID != "p" || !key.May(p.Route("a")) || key.May(p.Route("b")) {
		t.Errorf("the old secret opens %+v", key)
	}
	// Of a key that lives the set may name one secret: it is over, whatever the agent's clock says.
	ended, err := p.WithRevocations(&policyv1.Revocations{Version: 12, Revocations: []*policyv1.Revocation{{KeySha256: sum("l-old")}, {KeySha256: sum("gone")}, {KeySha256: sum("r-old")}}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]snapshot.Standing{"l-old": snapshot.Rotated, "l-new": snapshot.Good, "gone": snapshot.Unknown, "r-old": snapshot.Revoked} {
		if got := standing(ended, text, now.Add(-time.Hour)); got != want {
			t.Errorf("%s after the overlap was ended: %v, want %v", text, got, want)
		}
	}
	// The set may name the present secret only: it is the key that is revoked.
	late, err := p.WithRevocations(&policyv1.Revocations{Version: 13, Revocations: []*policyv1.Revocation{{KeyId: "late", KeySha256: sum("x-new")}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := standing(late, "x-old", now); got != snapshot.Revoked {
		t.Errorf("the old secret of a key revoked late: %v", got)
	}
}

func TestHostileKeys(t *testing.T) {
	stamp := timestamppb.New(now)
	bad := func(id string, change func(*policyv1.Key)) *policyv1.Resource {
		k := &policyv1.Key{Id: id, Sha256: sum(id), PreviousSha256: sum("old " + id), PreviousExpiresAt: stamp}
		change(k)
		return resource(t, "key", id, k)
	}
	wantReasons(t, append(good(t),
		bad("no-end", func(k *policyv1.Key) { k.PreviousExpiresAt = nil }),
		bad("no-hash", func(k *policyv1.Key) { k.PreviousSha256 = nil }),
		bad("short", func(k *policyv1.Key) { k.PreviousSha256 = sum("x")[:31] }),
		bad("its-own", func(k *policyv1.Key) { k.PreviousSha256 = k.Sha256 }),
		bad("another's", func(k *policyv1.Key) { k.PreviousSha256 = sum("two") }),
		bad("another's-present", func(k *policyv1.Key) { k.Sha256 = sum("old another's-present") }),
		bad("year-1", func(k *policyv1.Key) { k.PreviousExpiresAt = timestamppb.New(time.Time{}) }),
		bad("never", func(k *policyv1.Key) { k.ExpiresAt = timestamppb.New(time.Time{}) }),
		bad("beyond", func(k *policyv1.Key) { k.PreviousExpiresAt = &timestamppb.Timestamp{Seconds: 1 << 62} }),
		bad("nanos", func(k *policyv1.Key) { k.ExpiresAt = &timestamppb.Timestamp{Seconds: 1, Nanos: -1} }),
	), "no-end: its previous secret", "no-hash: its previous secret", "short: its hash has 31", "its-own: its hash is there twice",
		"another's: its hash is there twice, also for key k2", "another's-present: its hash is there twice",
		"year-1: its previous_expires_at", "never: its expires_at", "beyond: its previous_expires_at", "nanos: its expires_at")
}

func TestKeysForNoRoute(t *testing.T) {
	with := func(k *policyv1.Key) []*policyv1.Resource {
		k.Id, k.ProjectId, k.Sha256 = "none", "p", sum("none")
		return append(good(t), resource(t, "key", "none", k))
	}
	p, err := compile(with(&policyv1.Key{NoRoutes: true}), nil)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := p.Key([32]byte(sum("none")), now)
	for _, r := range p.Routes() {
		if key.May(r) {
			t.Errorf("it may use %s", r.Name)
		}
	}
	wantReasons(t, with(&policyv1.Key{NoRoutes: true, RouteIds: []string{"r2"}}), "it may use no route, and names some")
}
