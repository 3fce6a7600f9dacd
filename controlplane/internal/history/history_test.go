package history_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/history"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestFields(t *testing.T) {
	route := func(change func(*adminv1.Route)) *adminv1.Route {
		r := &adminv1.Route{
			Id: "r", Name: "gpt", Etag: "1", Targets: []*adminv1.Target{{ProviderId: "p", Model: "m"}},
			Timeouts: &adminv1.Timeouts{Idle: durationpb.New(1e9)},
		}
		change(r)
		return r
	}
	same := route(func(*adminv1.Route) {})
	cases := []struct {
		name          string
		before, after proto.Message
		want          string
	}{
		{"nothing", same, route(func(r *adminv1.Route) { r.Etag = "2" }), ``},
		{"a_text", same, route(func(r *adminv1.Route) { r.Name = "fast" }), `name: "gpt" "fast"`},
		{"a_list", same, route(func(r *adminv1.Route) { r.Targets[0].Model = "n" }), `targets: [{"providerId":"p","model":"m"}] [{"providerId":"p","model":"n"}]`},
		{"within", same, route(func(r *adminv1.Route) { r.Timeouts.Total = durationpb.New(2e9) }), `timeouts.total: - "2s"`},
		{"a_whole_message", same, route(func(r *adminv1.Route) { r.Timeouts = nil }), `timeouts.idle: "1s" -`},
		{"added", nil, &adminv1.Route{Id: "r", Etag: "1"}, `id: - "r"`},
		{"removed", &adminv1.Route{Id: "r", Etag: "1"}, nil, `id: "r" -`},
		{"neither", nil, nil, ``},
		{
			"an_empty_message", &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Rolling{Rolling: &adminv1.RollingWindow{Duration: durationpb.New(60e9)}}},
			&adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Lifetime{Lifetime: &adminv1.LifetimeWindow{}}}, `rolling.duration: "60s" -; lifetime: - {}`,
		},
		{
			"a_map", &adminv1.Key{Labels: map[string]string{"a.b": "1", "c": "2"}}, &adminv1.Key{Labels: map[string]string{"a.b": "3", "d": "4"}},
			`labels["a.b"]: "1" "3"; labels["c"]: "2" -; labels["d"]: - "4"`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			fields, err := history.Fields(c.before, c.after)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range fields {
				got = append(got, fmt.Sprintf("%s: %s %s", f.Path, text(f.Before), text(f.After)))
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %s, want %s", strings.Join(got, "; "), c.want)
			}
		})
	}
}

func text(v *structpb.Value) string {
	if v == nil {
		return "-"
	}
	spelled, _ := protojson.Marshal(v)
	spaceless := strings.ReplaceAll(string(spelled), " ", "")
	if strings.HasPrefix(spaceless, `[{"model"`) { // keys have no order of their own
		return strings.NewReplacer(`"model":"m","providerId":"p"`, `"providerId":"p","model":"m"`, `"model":"n","providerId":"p"`, `"providerId":"p","model":"n"`).Replace(spaceless)
	}
	return spaceless
}

func TestBody(t *testing.T) {
	created := &eventv1.KeyCreated{Name: "k", Sha256: []byte("hash"), Suffix: "abcd", Labels: map[string]string{"a": "b"}}
	body, err := history.Body(created)
	if err != nil {
		t.Fatal(err)
	}
	if got := body.AsMap(); got["sha256"] != nil || got["name"] != "k" || got["suffix"] != "abcd" {
		t.Errorf("got %v", got)
	}
	if created.GetSha256() == nil {
		t.Error("the event itself lost its hash")
	}
}

// What waits for another is made after it, whatever the order; what waits for itself
// is not.
func TestSettle(t *testing.T) {
	needs := map[string][]string{"a": {"b"}, "b": {"c"}, "c": nil, "d": {"e"}, "e": {"d"}}
	var made []string
	refused, err := history.Settle([]string{"a", "b", "c", "d", "e"}, func(s string) error {
		for _, other := range needs[s] {
			if !slices.Contains(made, other) {
				return fault.New(fault.Precondition, "%s needs %s", s, other)
			}
		}
		made = append(made, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(made, ""); got != "cba" {
		t.Errorf("made %s", got)
	}
	if len(refused) != 2 || refused[0].Step != "d" || refused[0].Reason.Message != "d needs e" {
		t.Errorf("refused %v", refused)
	}
}

// Each waits for the next one: what is refused is not tried again for each that is made.
func TestSettleOfAChain(t *testing.T) {
	const length = 1000
	steps, tries, freed := make([]int, length), 0, length
	for i := range steps {
		steps[i] = i
	}
	refused, err := history.Settle(steps, func(s int) error {
		if tries++; s != freed-1 {
			return fault.New(fault.Conflict, "%d has the name", s+1)
		}
		freed = s
		return nil
	})
	if err != nil || len(refused) > 0 || tries > 2*length {
		t.Errorf("%d refused after %d tries, %v", len(refused), tries, err)
	}
}

func TestSettleEndsAtErrors(t *testing.T) {
	for _, end := range []error{errors.New("no store"), fault.New(fault.Unavailable, "no store"), fault.New(fault.Aborted, "contended")} {
		refused, err := history.Settle([]int{1, 2}, func(int) error { return end })
		if !errors.Is(err, end) || refused != nil {
			t.Errorf("got %v, %v, want %v", refused, err, end)
		}
	}
}
