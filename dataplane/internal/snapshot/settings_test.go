package snapshot_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
