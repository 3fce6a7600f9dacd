package snapshot_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var now = time.Unix(1_800_000_000, 0)

func resource(t testing.TB, kind, id string, m proto.Message) *policyv1.Resource {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return &policyv1.Resource{Kind: kind, Id: id, Body: body}
}

func sum(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

func provider(t testing.TB, id, base, reference string) *policyv1.Resource {
	return resource(t, "provider", id, &policyv1.Provider{Id: id, Name: "n-" + id, Dialect: policyv1.Dialect_DIALECT_OPENAI, BaseUrl: base, CredentialRef: reference, PriceList: "openai"})
}

func route(t testing.TB, id, name, providerID string) *policyv1.Resource {
	return resource(t, "route", id, &policyv1.Route{Id: id, Name: name, Strategy: policyv1.Strategy_STRATEGY_SINGLE,
		Targets: []*policyv1.Target{{ProviderId: providerID, Model: "gpt-4o"}}})
}

func compile(resources []*policyv1.Resource, set *policyv1.Revocations) (*snapshot.Policy, error) {
	release := &policyv1.Release{OrganizationId: "o", GatewayId: "g", Epoch: 3, Version: 12, ResourceCount: int32(len(resources)), CompiledAt: timestamppb.New(now)}
	for _, r := range resources {
		if r.Kind == "price_book" {
			release.PriceBookVersion = r.Id
		}
	}
	return snapshot.Compile(release, resources, set, snapshot.DefaultOrigins())
}

func good(t testing.TB) []*policyv1.Resource {
	return []*policyv1.Resource{
		resource(t, "key", "k1", &policyv1.Key{Id: "k1", ProjectId: "p", Sha256: sum("one"), RouteIds: []string{"r2"}, ExpiresAt: timestamppb.New(now)}),
		resource(t, "key", "k2", &policyv1.Key{Id: "k2", ProjectId: "p", Sha256: sum("two")}),
		resource(t, "key", "k3", &policyv1.Key{Id: "k3", ProjectId: "p", Sha256: sum("three"), RouteIds: []string{"gone"}, RevokedAt: timestamppb.New(now)}),
		route(t, "r1", "b", "p1"), route(t, "r2", "a", "p1"),
		provider(t, "p1", "https://API.openai.com:443/v1/", "env://WEIR_SECRET_X"),
		resource(t, "price_book", "v1", &policyv1.PriceBook{Version: "v1", Entries: []*policyv1.PriceEntry{{PriceList: "openai", Model: "gpt-4o", Rates: &policyv1.Rates{}}}}),
		resource(t, "gateway", "g", &policyv1.Gateway{Id: "g", MaxRequestBytes: 99}),
		{Kind: "of_the_future", Id: "x", Body: []byte("\xff")},
	}
}

func TestCompile(t *testing.T) {
	p, err := compile(good(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Epoch() != 3 || p.Version() != 12 || p.MaxRequestBytes() != 99 || p.PriceBookVersion() != "v1" || p.RevocationVersion() != 0 || !p.CompiledAt().Equal(now) {
		t.Errorf("%+v", p)
	}
	target := p.Route("a").Targets[0]
	if target.Provider.Blocked != "" || target.URL(snapshot.OpenAIChat).String() != "https://api.openai.com:443/v1/chat/completions" || target.Price == nil || string(target.ModelJSON) != `"gpt-4o"` {
		t.Errorf("target %+v of %+v", target, target.Provider)
	}
	names := []string{}
	for _, r := range p.Routes() {
		names = append(names, r.Name)
	}
	if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestNext(t *testing.T) {
	first, err := compile(good(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	release := &policyv1.Release{ResourceCount: 8, PriceBookVersion: "v1"}
	for name, c := range map[string]struct {
		entries []*policyv1.PriceEntry
		priced  bool
	}{
		"the_same_book":               {[]*policyv1.PriceEntry{{PriceList: "openai", Model: "gpt-4o", Rates: &policyv1.Rates{}}}, true},
		"another_of_the_same_version": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			resources := slices.DeleteFunc(good(t), func(r *policyv1.Resource) bool { return r.GetKind() == "price_book" || r.GetKind() == "gateway" })
			resources = append(resources, resource(t, "price_book", "v1", &policyv1.PriceBook{Version: "v1", Entries: c.entries}))
			next, err := first.Next(release, resources, nil, snapshot.DefaultOrigins())
			if err != nil {
				t.Fatal(err)
			}
			if priced := next.Route("a").Targets[0].Price != nil; priced != c.priced || next.PriceBookVersion() != "v1" {
				t.Errorf("priced: %t, by book %q", priced, next.PriceBookVersion())
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	resources := good(b)
	book := &policyv1.PriceBook{Version: "v1"}
	for i := range 200 {
		book.Entries = append(book.Entries, &policyv1.PriceEntry{PriceList: "openai", Model: fmt.Sprint("m", i), Rates: &policyv1.Rates{Input: proto.Int64(1), Output: proto.Int64(2)}})
	}
	resources[6] = resource(b, "price_book", "v1", book)
	first, err := compile(resources, nil)
	if err != nil {
		b.Fatal(err)
	}
	release := &policyv1.Release{OrganizationId: "o", GatewayId: "g", ResourceCount: int32(len(resources)), PriceBookVersion: "v1"}
	for name, before := range map[string]*snapshot.Policy{"first": nil, "same_book": first} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := before.Next(release, resources, nil, snapshot.DefaultOrigins()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestBaseURLs(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.openai.com":              "/chat/completions",
		"https://api.openai.com/":             "/chat/completions",
		"https://api.openai.com/v1":           "/v1/chat/completions",
		"https://api.openai.com/v1/":          "/v1/chat/completions",
		"https://api.openai.com/proxy%2Fa/v1": "/proxy%2Fa/v1/chat/completions",
	} {
		p, err := compile(append(good(t)[:5:5], append([]*policyv1.Resource{provider(t, "p1", base, "env://WEIR_SECRET_X")}, good(t)[6:]...)...), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Route("a").Targets[0].URL(snapshot.OpenAIChat).RequestURI(); got != want {
			t.Errorf("below %s: %s, want %s", base, got, want)
		}
	}
}

func TestEndpointsOfAnthropic(t *testing.T) {
	for base, want := range map[string]string{"https://api.anthropic.com": "", "https://gateway.example/anthropic/": "/anthropic"} {
		claude := resource(t, "provider", "p1", &policyv1.Provider{Id: "p1", Name: "claude", Dialect: policyv1.Dialect_DIALECT_ANTHROPIC, BaseUrl: base})
		p, err := compile(append(good(t)[:5:5], append([]*policyv1.Resource{claude}, good(t)[6:]...)...), nil)
		if err != nil {
			t.Fatal(err)
		}
		chat := p.Route("a").Targets[0].URL(snapshot.AnthropicMessages)
		if got := p.Provider("p1"); chat.RequestURI() != want+"/v1/messages" || got.Models.RequestURI() != want+"/v1/models?limit=1000" {
			t.Errorf("below %s: %s, %s", base, chat, got.Models)
		}
	}
}

func standing(p *snapshot.Policy, text string, at time.Time) snapshot.Standing {
	_, s := p.Key([32]byte(sum(text)), at)
	return s
}

func TestKeys(t *testing.T) {
	p, err := compile(good(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	key, s := p.Key([32]byte(sum("one")), now.Add(-time.Second))
	if s != snapshot.Good || !key.May(p.Route("a")) || key.May(p.Route("b")) {
		t.Errorf("key one: %v", s)
	}
	for text, want := range map[string]snapshot.Standing{"one": snapshot.Expired, "two": snapshot.Good, "three": snapshot.Revoked, "four": snapshot.Unknown} {
		if got := standing(p, text, now); got != want {
			t.Errorf("key %s: %v, want %v", text, got, want)
		}
	}
}

func TestRevocationsGoBeforeResources(t *testing.T) {
	p, err := compile(good(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := p.WithRevocations(&policyv1.Revocations{Version: 13, Revocations: []*policyv1.Revocation{{KeyId: "k2", KeySha256: sum("two")}, {KeyId: "k9", KeySha256: sum("nine")}}})
	if err != nil {
		t.Fatal(err)
	}
	if standing(revoked, "two", now) != snapshot.Revoked || standing(revoked, "nine", now) != snapshot.Revoked || revoked.RevocationVersion() != 13 || revoked.Version() != 12 {
		t.Errorf("key two: %v", standing(revoked, "two", now))
	}
	if standing(p, "two", now) != snapshot.Good {
		t.Error("the earlier policy changed")
	}
	if _, err := p.WithRevocations(&policyv1.Revocations{Revocations: []*policyv1.Revocation{{KeyId: "k", KeySha256: []byte("short")}}}); err == nil {
		t.Error("a short hash was accepted")
	}
}

func TestAllReasonsAreListed(t *testing.T) {
	bad := append(good(t),
		&policyv1.Resource{Kind: "route", Id: "torn", Body: []byte("\xff\xff")},
		route(t, "r3", "c", "nobody"), route(t, "r4", "a", "p1"),
		resource(t, "route", "r5", &policyv1.Route{Id: "r5", Name: "d", Strategy: 99, Targets: []*policyv1.Target{{ProviderId: "p1", Model: "m"}}}),
		resource(t, "provider", "p2", &policyv1.Provider{Id: "p2", Dialect: 99, BaseUrl: "https://api.openai.com/v1"}),
		provider(t, "p3", "https://user:pass@api.openai.com/v1", ""),
		resource(t, "key", "k5", &policyv1.Key{Id: "k5", Sha256: []byte("short")}),
		resource(t, "key", "k6", &policyv1.Key{Id: "k6", Sha256: sum("six"), RouteIds: []string{"nowhere"}}),
		resource(t, "key", "k7", &policyv1.Key{Id: "k7", Sha256: sum("one")}),
	)
	_, err := compile(bad, nil)
	var invalid *snapshot.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	for _, want := range []string{"route torn: its bytes", "no provider nobody", `name "a"`, "unknown strategy 99", "unknown dialect 99", "provider p3: its base URL", "key k5: its hash", "no route nowhere", "key k7: its hash is there twice"} {
		if !slices.ContainsFunc(invalid.Reasons, func(r string) bool { return strings.Contains(r, want) }) {
			t.Errorf("%q is not among %q", want, invalid.Reasons)
		}
	}
	if len(invalid.Reasons) != 9 {
		t.Errorf("%d reasons: %q", len(invalid.Reasons), invalid.Reasons)
	}
}

func TestBoundsOfAPolicy(t *testing.T) {
	large := &policyv1.Resource{Kind: "of_the_future", Id: "x", Body: make([]byte, snapshot.MaxBytes)}
	for name, resources := range map[string][]*policyv1.Resource{
		"bytes": {large},
		"count": slices.Repeat([]*policyv1.Resource{{Kind: "k", Id: "i"}}, snapshot.MaxResources+1),
	} {
		if _, err := compile(resources, nil); err == nil {
			t.Errorf("too many %s were accepted", name)
		}
	}
}

func TestOrigins(t *testing.T) {
	origins, err := snapshot.ParseOrigins([]string{"default", "http://127.0.0.1:8093=env://ONE,env://TWO_*,file:///run/keys/,file:///run/one",
		"https://acme.openai.azure.com", "https://europe-west4-aiplatform.googleapis.com/v1/projects/acme/=env://GOOGLE", "https://bedrock-runtime.eu-west-1.amazonaws.com=env://AWS"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		base, reference string
		allowed         bool
	}{
		{"https://api.openai.com/v1", "env://WEIR_SECRET_A", true},
		{"HTTPS://API.OPENAI.COM:443/v1", "file:///etc/weir/secrets/a", true},
		{"https://api.openai.com/v1", "env://HOME", false},
		{"https://api.anthropic.com", "env://WEIR_SECRET_A", true},
		{"https://api.anthropic.com", "env://HOME", false},
		{"https://api.openai.com/v1", "file:///etc/weir/secrets/../../shadow", false},
		{"https://api.openai.com/v1", "file:///etc/weir/secrets//a", false},
		{"https://api.openai.com/v1", "file:///etc/weir/secretsX", false},
		{"https://api.openai.com/v1", "", true}, // nothing to misuse
		{"https://api.openai.com.evil.example/v1", "", false},
		{"http://api.openai.com/v1", "env://WEIR_SECRET_A", false},
		{"https://api.openai.com:8443/v1", "env://WEIR_SECRET_A", false},
		{"https://api.openai.com.evil.example/v1", "env://WEIR_SECRET_A", false},
		{"http://169.254.169.254/v1", "env://WEIR_SECRET_A", false},
		{"http://127.0.0.1:8093", "env://ONE", true},
		{"http://127.0.0.1:8093", "env://ONE_MORE", false},
		{"http://127.0.0.1:8093", "env://TWO_X", true},
		{"http://127.0.0.1:8093", "file:///run/keys/a/b", true},
		{"http://127.0.0.1:8093", "file:///run/one", true},
		{"http://127.0.0.1:8093", "env://WEIR_SECRET_A", false},
		{"https://generativelanguage.googleapis.com/v1beta", "env://WEIR_SECRET_A", true},
		{"https://evil.googleapis.com/v1beta", "env://WEIR_SECRET_A", false},
		{"https://bedrock-runtime.us-east-1.amazonaws.com", "env://WEIR_SECRET_A", true},
		{"https://bedrock-runtime.us-east-1.amazonaws.com", "env://HOME", false},
		{"https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "env://WEIR_SECRET_A", true},
		{"https://bedrock-runtime.eu-west-1.amazonaws.com", "env://WEIR_SECRET_A", true},
		{"https://bedrock-runtime.eu-west-1.amazonaws.com", "env://AWS", true},
		{"https://bedrock-runtime.us-east-1.amazonaws.com", "env://AWS", false},
		{"http://bedrock-runtime.us-east-1.amazonaws.com", "", false},
		{"https://bedrock-runtime.us-east-1.amazonaws.com:8443", "", false},
		{"https://bedrock-runtime.us-east-1.amazonaws.com.evil.example", "", false},
		{"https://evil.bedrock-runtime.us-east-1.amazonaws.com", "", false},
		{"https://bedrock-runtime.s3.amazonaws.com", "", false}, // somebody's bucket
		{"https://bedrock-runtime.s3-us-west-2.amazonaws.com", "", false},
		{"https://acme.openai.azure.com", "env://WEIR_SECRET_A", true},
		{"https://evil.openai.azure.com", "", false},
		{"https://us-central1-aiplatform.googleapis.com/v1/projects/acme/locations/us-central1/publishers/google", "", false},
		{"https://europe-west4-aiplatform.googleapis.com/v1/projects/acme/locations/europe-west4/publishers/google/", "env://GOOGLE", true},
		{"https://europe-west4-aiplatform.googleapis.com/v1/projects/acme", "env://GOOGLE", true},
		{"https://europe-west4-aiplatform.googleapis.com/v1/projects/acme/locations/europe-west4", "env://WEIR_SECRET_A", false},
		{"https://europe-west4-aiplatform.googleapis.com/v1/projects/acme-evil/locations/europe-west4", "", false},
		{"https://europe-west4-aiplatform.googleapis.com/v1/projects/acme/../evil", "", false},
		{"https://europe-west4-aiplatform.googleapis.com/v1/projects/acme/%2e%2e/evil", "", false},
		{"https://europe-west4-aiplatform.googleapis.com/v1/projects/acme//../evil", "", false},
		{"https://europe-west4-aiplatform.googleapis.com", "", false},
	} {
		resources := []*policyv1.Resource{provider(t, "p", test.base, test.reference), route(t, "r", "r", "p")}
		p, err := snapshot.Compile(&policyv1.Release{ResourceCount: 2}, resources, nil, origins)
		if err != nil {
			t.Fatal(err)
		}
		if blocked := p.Route("r").Targets[0].Provider.Blocked; (blocked == "") != test.allowed {
			t.Errorf("%s with %s: %q", test.base, test.reference, blocked)
		}
	}
}

func TestEndpoints(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.openai.com": "/chat/completions", "https://api.openai.com/": "/chat/completions", "https://api.openai.com/v1": "/v1/chat/completions",
		"https://api.openai.com/v1/": "/v1/chat/completions", "https://api.openai.com/a/../../b": "/b/chat/completions", "https://api.openai.com//x.example/v1": "/x.example/v1/chat/completions",
	} {
		p, err := compile([]*policyv1.Resource{provider(t, "p", base, ""), route(t, "r", "r", "p")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Route("r").Targets[0].URL(snapshot.OpenAIChat).RequestURI(); got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
}

// What a blocked provider refers to is never looked at.
func TestReferences(t *testing.T) {
	p, err := compile([]*policyv1.Resource{
		provider(t, "p1", "https://api.openai.com/v1", "env://WEIR_SECRET_B"), provider(t, "p2", "https://api.openai.com/v1", "env://WEIR_SECRET_A"),
		provider(t, "p3", "https://api.openai.com/v1", "env://WEIR_SECRET_A"), provider(t, "p4", "https://api.openai.com/v1", ""),
		provider(t, "p5", "https://elsewhere.example/v1", "env://WEIR_SECRET_C"), provider(t, "p6", "https://api.openai.com/v1", "file:///etc/shadow"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"env://WEIR_SECRET_A", "env://WEIR_SECRET_B"}, p.References()); diff != "" {
		t.Error(diff)
	}
	if len(p.Providers()) != 6 || p.Providers()[5].ID != "p6" {
		t.Errorf("%d providers", len(p.Providers()))
	}
}

func TestCredentialMaxAge(t *testing.T) {
	of := func(seconds int64) []*policyv1.Resource {
		return []*policyv1.Resource{resource(t, "gateway", "g", &policyv1.Gateway{Id: "g", CredentialMaxAgeSeconds: seconds})}
	}
	if p, err := compile(of(90), nil); err != nil || p.CredentialMaxAge() != 90*time.Second {
		t.Errorf("%v", err)
	}
	wantReasons(t, of(-1), "credentials are kept for -1 s")
	wantReasons(t, of(1<<62), "credentials are kept for 4611686018427387904 s")
}

func TestBadOriginsAreAllNamed(t *testing.T) {
	bad := []string{"api.openai.com", "ftp://x", "https://x/a/../b", "https://x//v1", "https://x/%2e%2e", "https://u:p@x", "https://x?q=1", "https://x=env://", "https://x=HOME", "https://x=file://a", "https://x=env://A*B"}
	_, err := snapshot.ParseOrigins(append(bad, "https://fine.example"))
	if err == nil || strings.Contains(err.Error(), "fine.example") {
		t.Fatal(err)
	}
	for _, entry := range bad {
		if !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("%s was accepted", entry)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	resources := good(b)
	for i := range 50_000 {
		id := "bench-" + string(rune('a'+i%26)) + time.Unix(int64(i), 0).String()
		resources = append(resources, resource(b, "key", id, &policyv1.Key{Id: id, ProjectId: "p", Sha256: sum(id)}))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := compile(resources, nil); err != nil {
			b.Fatal(err)
		}
	}
}
