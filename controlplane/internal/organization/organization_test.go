package organization_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/organization"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var (
	id = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func TestDecisions(t *testing.T) {
	acme := organization.Settings{Name: "acme", DisplayName: "ACME", AllowedRegions: []string{"eu", "us"}}
	was := organization.Organization{ID: id, Settings: acme, CreatedAt: at, Version: 7}
	suspended := was
	suspended.SuspendedAt, suspended.SuspensionReason = at, "unpaid"
	living := []organization.Gateway{{Name: "prod", Region: "us"}}
	update := func(s organization.Settings, taken bool) func() ([]eventlog.Change, error) {
		return func() ([]eventlog.Change, error) { return was.Update(s, living, taken) }
	}
	in := func(regions ...string) organization.Settings {
		return organization.Settings{Name: "acme", DisplayName: "ACME", AllowedRegions: regions}
	}
	using := func(u organization.Usage) organization.Settings {
		s := acme
		s.Usage = u
		return s
	}
	const plain = eventv1.EndUsers_END_USERS_PLAIN
	pricing := func(unpriced eventv1.Unpriced, list, model string) organization.Settings {
		s := acme
		s.Pricing = organization.Pricing{Unpriced: unpriced, EstimatePriceList: list, EstimateModel: model}
		return s
	}
	const allowed, estimated, blocked = eventv1.Unpriced_UNPRICED_ALLOW, eventv1.Unpriced_UNPRICED_ESTIMATE, eventv1.Unpriced_UNPRICED_BLOCK
	spelled := organization.DefaultUsage()
	slices.Reverse(spelled.Labels)
	spelled.Labels[0].MaxBytes = 0
	cases := []struct {
		name   string
		decide func() ([]eventlog.Change, error)
		want   proto.Message // nil: nothing changes, or it is refused
		reason string
	}{
		{"rename", update(organization.Settings{Name: "weir", AllowedRegions: []string{"us", "eu"}}, false), &eventv1.OrganizationUpdated{Name: "weir", DisplayName: "weir", AllowedRegions: []string{"eu", "us"}}, ""},
		{"to_a_taken_name", update(organization.Settings{Name: "weir"}, true), nil, "name_taken"},
		{"the_same_regions_in_another_order", update(in("us", "eu", "us"), true), nil, ""},
		{"any_region", update(in(), false), &eventv1.OrganizationUpdated{Name: "acme", DisplayName: "ACME"}, ""},
		{"without_the_region_of_a_gateway", update(in("eu"), false), nil, "region_in_use"},
		{
			"plain_end_users_and_a_label", update(using(organization.Usage{EndUsers: plain, Labels: []organization.Label{{Name: "ticket", Pattern: "[A-Z]+"}, {Name: "b", MaxBytes: 9}}}), false),
			&eventv1.OrganizationUpdated{Name: "acme", DisplayName: "ACME", AllowedRegions: []string{"eu", "us"}, Usage: &eventv1.UsageSettings{
				EndUsers: plain, Labels: []*eventv1.LabelRule{{Name: "b", MaxBytes: 9}, {Name: "ticket", MaxBytes: 64, Pattern: "[A-Z]+"}},
			}}, "",
		},
		{
			"no_labels_at_all", update(using(organization.Usage{EndUsers: eventv1.EndUsers_END_USERS_HASHED}), false),
			&eventv1.OrganizationUpdated{Name: "acme", DisplayName: "ACME", AllowedRegions: []string{"eu", "us"}, Usage: &eventv1.UsageSettings{EndUsers: eventv1.EndUsers_END_USERS_HASHED}}, "",
		},
		{"usage_as_it_begins_spelled_out", update(using(spelled), false), nil, ""},
		{"block_unpriced", update(pricing(blocked, "", ""), false), &eventv1.OrganizationUpdated{
			Name: "acme", DisplayName: "ACME", AllowedRegions: []string{"eu", "us"}, Pricing: &eventv1.PricingSettings{Unpriced: blocked},
		}, ""},
		{"estimate_unpriced", update(pricing(estimated, "openai", "gpt-5"), false), &eventv1.OrganizationUpdated{
			Name: "acme", DisplayName: "ACME", AllowedRegions: []string{"eu", "us"},
			Pricing: &eventv1.PricingSettings{Unpriced: estimated, EstimatePriceList: "openai", EstimateModel: "gpt-5"},
		}, ""},
		{"allow_as_it_begins", update(pricing(allowed, "", ""), false), nil, ""},
		{"suspend", func() ([]eventlog.Change, error) { return was.Suspend("unpaid") }, &eventv1.OrganizationSuspended{Reason: "unpaid"}, ""},
		{"suspend_twice", func() ([]eventlog.Change, error) { return suspended.Suspend("other") }, nil, ""},
		{"resume", func() ([]eventlog.Change, error) { return suspended.Resume(), nil }, &eventv1.OrganizationResumed{}, ""},
		{"resume_twice", func() ([]eventlog.Change, error) { return was.Resume(), nil }, nil, ""},
		{"archive", suspended.Archive, &eventv1.OrganizationArchived{}, ""},
		{"archive_one_at_work", was.Archive, nil, "organization_not_suspended"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changes, err := c.decide()
			var refused *fault.Error
			if errors.As(err, &refused) != (c.reason != "") || refused != nil && refused.Reason != c.reason {
				t.Fatalf("got %v, want the reason %q", err, c.reason)
			}
			var want []eventlog.Change
			if c.want != nil {
				want = []eventlog.Change{{Subject: id, Body: c.want}}
			}
			if diff := cmp.Diff(want, changes, protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("bad_settings", func(t *testing.T) {
		labels := func(l ...organization.Label) organization.Settings {
			return using(organization.Usage{EndUsers: plain, Labels: l})
		}
		for _, s := range []organization.Settings{
			{Name: "-"}, in(""), in(string(make([]byte, 64))),
			labels(organization.Label{Name: "a"}, organization.Label{Name: "b"}, organization.Label{Name: "a", MaxBytes: 3}),
			labels(organization.Label{Name: "no spaces"}), labels(organization.Label{Name: "long", MaxBytes: 257}), labels(organization.Label{Name: "less", MaxBytes: -1}),
			labels(organization.Label{Name: "none", Pattern: "("}), labels(organization.Label{Name: "large", Pattern: "(abc){999}"}),
			labels(organization.Label{Name: "long", Pattern: strings.Repeat("a", 201)}), labels(make([]organization.Label, 51)...),
			pricing(estimated, "", "m"), pricing(estimated, "l", ""), pricing(estimated, "l", strings.Repeat("m", 201)), pricing(blocked, "l", ""),
			pricing(allowed, "", "m"), pricing(9, "", ""), pricing(-1, "", ""),
		} {
			if _, err := was.Update(s, nil, false); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", s, err)
			}
		}
	})
}

func TestApply(t *testing.T) {
	fold := func(o organization.Organization, body proto.Message, version int64) organization.Organization {
		t.Helper()
		o, err := organization.Apply(o, eventlog.Event{Subject: id, Version: version, Body: body, RecordedAt: at})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	begun := fold(organization.Organization{}, &eventv1.OrganizationCreated{Name: "acme", DisplayName: "ACME"}, 1)
	if diff := cmp.Diff(organization.DefaultUsage(), begun.Usage.Effective()); diff != "" {
		t.Errorf("it begins with (-want +got):\n%s", diff)
	}
	blocking := fold(begun, &eventv1.OrganizationUpdated{Name: "acme", DisplayName: "ACME", Pricing: &eventv1.PricingSettings{Unpriced: eventv1.Unpriced_UNPRICED_BLOCK}}, 2)
	if blocking.Pricing.Unpriced != eventv1.Unpriced_UNPRICED_BLOCK || fold(blocking, &eventv1.OrganizationUpdated{Name: "acme"}, 3).Pricing != begun.Pricing {
		t.Errorf("folded %+v", blocking.Pricing)
	}
	closed := fold(begun, &eventv1.OrganizationUpdated{Name: "acme", Usage: &eventv1.UsageSettings{EndUsers: eventv1.EndUsers_END_USERS_HASHED}}, 2)
	if usage := closed.Usage.Effective(); len(usage.Labels) != 0 || closed.Usage.Default() {
		t.Errorf("one without labels has %v", usage)
	}
	suspended := fold(begun, &eventv1.OrganizationSuspended{Reason: "unpaid"}, 2)
	if !suspended.Suspended() || suspended.SuspensionReason != "unpaid" {
		t.Errorf("got %+v", suspended)
	}
	resumed := fold(suspended, &eventv1.OrganizationResumed{}, 3)
	begun.Version = 3
	if diff := cmp.Diff(begun, resumed); diff != "" {
		t.Errorf("a resumed one is not as it was (-want +got):\n%s", diff)
	}
	if _, err := organization.Apply(begun, eventlog.Event{Kind: "Moon", Body: &eventv1.ProjectArchived{}}); !errors.Is(err, eventlog.ErrUnknownKind) {
		t.Errorf("got %v", err)
	}
}
