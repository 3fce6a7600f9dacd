package snapshot_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func tuned(t testing.TB, id string, change func(*policyv1.Provider)) *policyv1.Resource {
	p := &policyv1.Provider{Id: id, Dialect: policyv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1", CredentialRef: "env://WEIR_SECRET_X"}
	change(p)
	return resource(t, "provider", id, p)
}

func withHeaders(headers ...*policyv1.Header) func(*policyv1.Provider) {
	return func(p *policyv1.Provider) { p.Headers = headers }
}

func TestHeaders(t *testing.T) {
	p, err := compile(append(good(t), route(t, "r9", "z", "p9"),
		tuned(t, "p9", withHeaders(&policyv1.Header{Name: "X-Team", Value: "water"}, &policyv1.Header{Name: "openai-ORGANIZATION", Value: "o"}))), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{"X-Team": {"water"}, "Openai-Organization": {"o"}}
	if diff := cmp.Diff(want, p.Route("z").Targets[0].Provider.Headers); diff != "" {
		t.Error(diff)
	}
}

func TestTimeouts(t *testing.T) {
	slow := &policyv1.Route{Id: "r9", Name: "z", Strategy: policyv1.Strategy_STRATEGY_SINGLE, Targets: []*policyv1.Target{{ProviderId: "p9", Model: "m"}},
		Timeouts: &policyv1.Timeouts{IdleMs: 7, TotalMs: 86_400_000}}
	p, err := compile(append(good(t), resource(t, "route", "r9", slow), route(t, "r8", "y", "p9"),
		tuned(t, "p9", func(p *policyv1.Provider) { p.Timeouts = &policyv1.Timeouts{FirstByteMs: 5, IdleMs: 6} })), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]snapshot.Timeouts{
		"z": {FirstByte: 5 * time.Millisecond, Idle: 7 * time.Millisecond, Total: 24 * time.Hour},
		"y": {FirstByte: 5 * time.Millisecond, Idle: 6 * time.Millisecond},
		"a": {},
	} {
		if diff := cmp.Diff(want, p.Route(name).Targets[0].Timeouts); diff != "" {
			t.Errorf("route %s:\n%s", name, diff)
		}
	}
}

func TestHostileTimeouts(t *testing.T) {
	bad := &policyv1.Route{Id: "r9", Name: "z", Strategy: policyv1.Strategy_STRATEGY_SINGLE, Targets: []*policyv1.Target{{ProviderId: "p1", Model: "m"}},
		Timeouts: &policyv1.Timeouts{FirstByteMs: 86_400_001, IdleMs: math.MaxInt64, TotalMs: math.MinInt64}}
	wantReasons(t, append(good(t), resource(t, "route", "r9", bad),
		tuned(t, "p9", func(p *policyv1.Provider) {
			p.Timeouts = &policyv1.Timeouts{FirstByteMs: -1, IdleMs: 1, TotalMs: math.MaxInt64 / 1_000_000}
		}),
	), "provider p9: its timeout first_byte is -1 ms", "provider p9: its timeout total", "route r9: its timeout first_byte is 86400001 ms",
		"route r9: its timeout idle", "route r9: its timeout total is -9223372036854775808 ms")
}

func TestProjectsOfARoute(t *testing.T) {
	limited := &policyv1.Route{Id: "r9", Name: "z", Strategy: policyv1.Strategy_STRATEGY_SINGLE, Targets: []*policyv1.Target{{ProviderId: "p1", Model: "m"}},
		AllowedProjectIds: []string{"q", "q"}}
	p, err := compile(append(good(t), resource(t, "route", "r9", limited),
		resource(t, "key", "k9", &policyv1.Key{Id: "k9", ProjectId: "q", Sha256: sum("nine")}),
		resource(t, "key", "k8", &policyv1.Key{Id: "k8", Sha256: sum("eight"), RouteIds: []string{"r9"}})), nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"nine": true, "eight": false, "two": false} {
		key, _ := p.Key([32]byte(sum(text)), now)
		if z := p.Route("z"); key.Sees(z) != want || key.May(z) != want {
			t.Errorf("key %s sees it: %v, may use it: %v", text, key.Sees(z), key.May(z))
		}
		if a := p.Route("a"); !key.Sees(a) {
			t.Errorf("key %s does not see a route for all", text)
		}
	}
	limited.AllowedProjectIds = []string{""}
	wantReasons(t, append(good(t), resource(t, "route", "r9", limited)), "route r9: it is for a project without an id")
}

func TestHostileHeaders(t *testing.T) {
	one := func(name, value string) func(*policyv1.Provider) {
		return withHeaders(&policyv1.Header{Name: name, Value: value})
	}
	var many []*policyv1.Header
	for n := range 21 {
		many = append(many, &policyv1.Header{Name: fmt.Sprint("X-", n)})
	}
	wantReasons(t, append(good(t),
		tuned(t, "credential", one("AUTHORIZATION", "Bearer stolen")),
		tuned(t, "host", one("host", "elsewhere.example")),
		tuned(t, "length", one("content-length", "0")),
		tuned(t, "name", one("X Team", "a")),
		tuned(t, "empty", one("", "a")),
		tuned(t, "line", one("X-Team", "a\r\nHost: b")),
		tuned(t, "long", one("X-Team", strings.Repeat("a", 1001))),
		tuned(t, "twice", withHeaders(&policyv1.Header{Name: "X-Team", Value: "a"}, &policyv1.Header{Name: "x-team", Value: "b"})),
		tuned(t, "many", withHeaders(many...)),
		tuned(t, "nil", withHeaders(&policyv1.Header{})),
	), `provider credential: header "AUTHORIZATION": the agent sets it`, `provider host: header "host"`, `provider length: header "content-length"`,
		`provider name: header "X Team": not a header's name`, `provider empty: header ""`, "provider line: header", "provider long: header",
		"provider twice: header X-Team is there twice", "provider many: 21 headers", `provider nil: header ""`)
}
