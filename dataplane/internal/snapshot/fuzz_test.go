package snapshot_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// FuzzCompile: whatever bytes resources have, they are compiled, or refused with
// reasons that a report can carry; what was compiled answers every question.
func FuzzCompile(f *testing.F) {
	byKind := map[string][]byte{}
	for _, r := range good(f) {
		byKind[r.Kind] = r.Body
	}
	set, err := proto.Marshal(&policyv1.Revocations{Version: 3, Revocations: []*policyv1.Revocation{{KeyId: "k", KeySha256: sum("one")}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byKind["gateway"], byKind["price_book"], byKind["provider"], byKind["route"], byKind["key"], set, "v1")
	f.Add([]byte{}, []byte{}, []byte{}, []byte{}, []byte{}, []byte{}, "")
	f.Fuzz(func(t *testing.T, gateway, book, provider, route, key, revocations []byte, id string) {
		revoked := &policyv1.Revocations{}
		if proto.Unmarshal(revocations, revoked) != nil {
			revoked = nil
		}
		id = strings.ToValidUTF8(id, "") // as it is on the wire
		resources := []*policyv1.Resource{
			{Kind: "gateway", Id: "g", Body: gateway}, {Kind: "price_book", Id: id, Body: book}, {Kind: "provider", Id: "p1", Body: provider},
			{Kind: "provider", Id: id, Body: provider}, {Kind: "route", Id: "r1", Body: route}, {Kind: "route", Id: id, Body: route},
			{Kind: "key", Id: "k1", Body: key}, {Kind: "key", Id: id, Body: key}, {Kind: id, Id: id, Body: key},
		}
		for n := range resources {
			policy, err := compile(resources[:n+1], revoked)
			if err != nil {
				wantReportable(t, err)
				continue
			}
			askEverything(policy, revoked)
		}
	})
}

func wantReportable(t *testing.T, err error) {
	t.Helper()
	var invalid *snapshot.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Reasons) == 0 || len(invalid.Reasons) > 100 {
		t.Fatalf("refused with %v", err)
	}
	for _, reason := range invalid.Reasons {
		if !utf8.ValidString(reason) {
			t.Errorf("a report can't carry %q", reason)
		}
	}
}

func askEverything(p *snapshot.Policy, set *policyv1.Revocations) {
	key, _ := p.Key([32]byte(sum("one")), time.Now())
	for _, r := range p.Routes() {
		for _, target := range r.Targets {
			_, _ = target.URL(snapshot.OpenAIChat), target.Provider.Blocked
		}
		if key != nil {
			key.May(r)
		}
	}
	p.References()
	_, _ = p.WithRevocations(set)
}
