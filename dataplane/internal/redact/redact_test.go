package redact_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/redact"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func hasher(t testing.TB, key byte) *redact.Hasher {
	t.Helper()
	h, err := redact.NewHasher(bytes.Repeat([]byte{key}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func rules(t testing.TB, users policyv1.EndUsers, labels ...*policyv1.LabelRule) *redact.Rules {
	t.Helper()
	r, faults := redact.NewRules(users, labels)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return r
}

func TestWrite(t *testing.T) {
	const plain, hashed = policyv1.EndUsers_END_USERS_PLAIN, policyv1.EndUsers_END_USERS_HASHED
	team := &policyv1.LabelRule{Name: "team"}
	ticket := &policyv1.LabelRule{Name: "ticket", MaxBytes: 6, Pattern: "[A-Z]+-[0-9]+"}
	h := hasher(t, 1)
	said := redact.Words{User: "ada@example.org", Run: "run:7", Labels: []redact.Label{
		{"team", "search"}, {"secret", "s"}, {"ticket", "AB-12"}, {"Team", "search"},
	}}
	for name, test := range map[string]struct {
		rules   *redact.Rules
		hash    *redact.Hasher
		words   redact.Words
		want    *usagev1.UsageRecord
		dropped string
	}{
		"nothing": {rules(t, hashed, team), h, redact.Words{}, &usagev1.UsageRecord{}, "[]"},
		"hashed": {rules(t, hashed, team, ticket), h, said, &usagev1.UsageRecord{
			EndUser: h.Of("ada@example.org"), RunId: "run:7", Labels: []*usagev1.Label{{Name: "team", Value: "search"}, {Name: "ticket", Value: "AB-12"}},
		}, "[{label_name secret} {label_name Team}]"},
		"plain":       {rules(t, plain), h, said, &usagev1.UsageRecord{EndUser: "ada@example.org", RunId: "run:7"}, "[{label_name team} {label_name secret} {label_name ticket} {label_name Team}]"},
		"unspecified": {rules(t, 0), h, redact.Words{User: "u"}, &usagev1.UsageRecord{EndUser: h.Of("u")}, "[]"},
		"no_rules":    {&redact.Rules{}, h, redact.Words{User: "u", Labels: []redact.Label{{"team", "a"}}}, &usagev1.UsageRecord{EndUser: h.Of("u")}, "[{label_name team}]"},
		"no_key":      {rules(t, hashed), nil, redact.Words{User: "u", Run: "r"}, &usagev1.UsageRecord{RunId: "r"}, "[{user_keyless }]"},
		"values": {rules(t, hashed, team, ticket), h, redact.Words{Labels: []redact.Label{{"team", "my password is"}, {"ticket", "AB-1234"}}},
			&usagev1.UsageRecord{}, "[{label_pattern team} {label_length ticket}]"},
		"a_part_matches": {rules(t, hashed, ticket), h, redact.Words{Labels: []redact.Label{{"ticket", "AB-1 x"}}}, &usagev1.UsageRecord{}, "[{label_pattern ticket}]"},
		"a_run_in_words": {rules(t, hashed), h, redact.Words{Run: "find out who killed"}, &usagev1.UsageRecord{}, "[{run_pattern }]"},
		"a_long_run":     {rules(t, hashed), h, redact.Words{Run: strings.Repeat("r", 129)}, &usagev1.UsageRecord{}, "[{run_pattern }]"},
	} {
		t.Run(name, func(t *testing.T) {
			got := &usagev1.UsageRecord{EndUser: "before", RunId: "before", Labels: []*usagev1.Label{{Name: "before"}}}
			dropped := fmt.Sprint(test.rules.Write(&test.words, test.hash, got))
			if diff := cmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if dropped != test.dropped {
				t.Errorf("dropped %s, want %s", dropped, test.dropped)
			}
		})
	}
}

func TestRulesThatAreNone(t *testing.T) {
	_, faults := redact.NewRules(0, []*policyv1.LabelRule{{Name: "a", Pattern: "("}, {Name: "b"}, {Name: "b"}})
	if len(faults) != 2 || !strings.Contains(fmt.Sprint(faults), `label "b": there are two rules`) {
		t.Errorf("got %v", faults)
	}
}

func TestHashes(t *testing.T) {
	one, same, other := hasher(t, 1), hasher(t, 1), hasher(t, 2)
	if got := one.Of("ada"); got != same.Of("ada") || !regexp.MustCompile(`^h1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{22}$`).MatchString(got) {
		t.Errorf("%q and %q of one user", got, same.Of("ada"))
	}
	if a, b := one.Of("ada"), other.Of("ada"); a[:11] == b[:11] || a[12:] == b[12:] {
		t.Errorf("%q and %q under two keys", a, b)
	}
	if one.Of("ada") == one.Of("Ada") || one.Of("a") == one.Of("a\x00") {
		t.Error("two users have one hash")
	}
	const golden = "h1.15e48d93.lRe_2bZaN3UgF6UQKcBlXw"
	if got := one.Of("ada@example.org"); got != golden {
		t.Errorf("hashes changed: users would be others from one build to the next: %s, was %s", got, golden)
	}
	if _, err := redact.NewHasher(make([]byte, 31)); err == nil {
		t.Error("a short key was accepted")
	}
}

func BenchmarkHash(b *testing.B) {
	h := hasher(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		h.Of("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	}
}

func BenchmarkWrite(b *testing.B) {
	h := hasher(b, 1)
	r := rules(b, 0, &policyv1.LabelRule{Name: "team"}, &policyv1.LabelRule{Name: "feature"}, &policyv1.LabelRule{Name: "ticket", Pattern: "[A-Z]+-[0-9]+"})
	w := redact.Words{User: "u-4711", Run: "run-1", Labels: []redact.Label{{"team", "search"}, {"feature", "answers"}, {"ticket", "ABC-123"}}}
	record := &usagev1.UsageRecord{}
	b.ReportAllocs()
	for b.Loop() {
		r.Write(&w, h, record)
	}
}

// One is its text. Under the race detector a pool forgets every fourth thing that is put back,
// and all of it with each collection.
func TestHashingAllocatesLittle(t *testing.T) {
	h := hasher(t, 1)
	if n := testing.AllocsPerRun(1000, func() { h.Of("0198a5c2-7d3e-7f00-8a11-0123456789ab") }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}
