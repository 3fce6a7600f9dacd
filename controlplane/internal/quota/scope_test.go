package quota_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestScope(t *testing.T) {
	id, project := uuid.New(), uuid.New()
	on := func(what eventv1.QuotaOn) quota.Scope { return quota.Scope{On: what, ID: id} }
	label := func(name string, value *string) quota.Scope {
		return quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_LABEL, Label: name, LabelValue: value}
	}
	there := quota.Target{Exists: true}
	for _, c := range []struct {
		name    string
		scope   quota.Scope
		target  quota.Target
		project uuid.UUID
		refused fault.Kind
		says    string
	}{
		{"organization", quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, quota.Target{}, uuid.Nil, 0, ""},
		{"each_end_user", quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_END_USER}, quota.Target{}, uuid.Nil, 0, ""},
		{"project", on(eventv1.QuotaOn_QUOTA_ON_PROJECT), there, id, 0, ""},
		{"key", on(eventv1.QuotaOn_QUOTA_ON_KEY), quota.Target{Exists: true, ProjectID: project}, project, 0, ""},
		{"route", on(eventv1.QuotaOn_QUOTA_ON_ROUTE), there, uuid.Nil, 0, ""},
		{"provider", on(eventv1.QuotaOn_QUOTA_ON_PROVIDER), there, uuid.Nil, 0, ""},
		{"each_value_of_a_label", label("team", nil), quota.Target{}, uuid.Nil, 0, ""},
		{"one_value_of_a_label", label("team", proto.String("search")), quota.Target{}, uuid.Nil, 0, ""},
		{"the_empty_value", label("team", proto.String("")), quota.Target{}, uuid.Nil, 0, ""},
		{"nothing", quota.Scope{}, there, uuid.Nil, fault.Invalid, "scope"},
		{"an_unknown_kind", on(99), there, uuid.Nil, fault.Invalid, "scope"},
		{"no_project", on(eventv1.QuotaOn_QUOTA_ON_PROJECT), quota.Target{}, uuid.Nil, fault.NotFound, "scope.project_id"},
		{"no_key", on(eventv1.QuotaOn_QUOTA_ON_KEY), quota.Target{}, uuid.Nil, fault.NotFound, "scope.key_id"},
		{"no_route", on(eventv1.QuotaOn_QUOTA_ON_ROUTE), quota.Target{}, uuid.Nil, fault.NotFound, "scope.route_id"},
		{"no_provider", on(eventv1.QuotaOn_QUOTA_ON_PROVIDER), quota.Target{}, uuid.Nil, fault.NotFound, "scope.provider_id"},
		{"a_revoked_key", on(eventv1.QuotaOn_QUOTA_ON_KEY), quota.Target{Exists: true, Revoked: true}, uuid.Nil, fault.Precondition, "scope.key_id"},
		{"a_label_that_no_key_can_have", label("Team", nil), quota.Target{}, uuid.Nil, fault.Invalid, "scope.label.name"},
		{"a_value_that_no_key_can_have", label("team", proto.String(strings.Repeat("x", 64))), quota.Target{}, uuid.Nil, fault.Invalid, "scope.label.value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.scope.Of(c.target)
			if c.refused != 0 {
				if !fault.Is(err, c.refused) || !strings.HasPrefix(err.Error(), c.says+":") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || got.Project() != c.project {
				t.Errorf("got %+v, %v", got, err)
			}
			back, err := quota.FromEvent(got.ToEvent())
			if diff := cmp.Diff(got, back); err != nil || diff != "" {
				t.Errorf("stored and read: %v\n%s", err, diff)
			}
		})
	}
}

func TestStoredScopesThatAreNone(t *testing.T) {
	for name, e := range map[string]*eventv1.QuotaScope{
		"absent": nil, "empty": {}, "a_bad_id": {On: eventv1.QuotaOn_QUOTA_ON_KEY, Id: "x"},
		"a_bad_project": {On: eventv1.QuotaOn_QUOTA_ON_KEY, ProjectId: "x"},
	} {
		if got, err := quota.FromEvent(e); err == nil {
			t.Errorf("%s: read %+v", name, got)
		}
	}
}

// Nobody has a mode by accident.
func TestModes(t *testing.T) {
	for mode := range int32(len(eventv1.QuotaMode_name) + 1) {
		kind := fault.Kind(0)
		if mode == 0 || eventv1.QuotaMode_name[mode] == "" {
			kind = fault.Invalid
		}
		if err := quota.CheckMode(eventv1.QuotaMode(mode)); (err == nil) != (kind == 0) || err != nil && !fault.Is(err, kind) {
			t.Errorf("%s: got %v", eventv1.QuotaMode(mode), err)
		}
	}
}
