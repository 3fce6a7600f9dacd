package budget

import (
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// purse is a hard budget as the run knows it.
type purse struct {
	name   string
	id     string
	window window
	// of tells whether a charge counts, and for which subject.
	of func(charge) (subject string, counts bool)
	// raises: it is raised now and then; raise is by how much.
	raise int64

	mu sync.Mutex
	// limit is the most that it ever allowed: it is noted before it is said.
	limit, amount int64

	charged map[string]int64 // by subject; of the truth
}

// window of a budget; zero: it is for its lifetime.
type window struct{ rolling, calendar time.Duration }

func (w window) proto() *adminv1.BudgetWindow {
	period := map[time.Duration]adminv1.CalendarPeriod{time.Hour: adminv1.CalendarPeriod_CALENDAR_PERIOD_HOUR, time.Minute: adminv1.CalendarPeriod_CALENDAR_PERIOD_MINUTE}
	switch {
	case w.rolling > 0:
		return &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Rolling{Rolling: &adminv1.RollingWindow{Duration: durationpb.New(w.rolling)}}}
	case w.calendar > 0:
		return &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Calendar{Calendar: &adminv1.CalendarWindow{Period: period[w.calendar], TimeZone: "UTC"}}}
	}
	return &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Lifetime{Lifetime: &adminv1.LifetimeWindow{}}}
}

func (w window) String() string {
	switch {
	case w.rolling > 0:
		return "rolling " + w.rolling.String()
	case w.calendar > 0:
		return "calendar " + w.calendar.String()
	}
	return "lifetime"
}

func (w window) forEver() bool { return w == window{} }

func (p *purse) counts(c charge) (subject string, counts bool) { return p.of(c) }

// most is the limit as it is now: what was allowed at any time before.
func (p *purse) most() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit
}

// more notes a raise, and returns all that is added to the amount.
func (p *purse) more(by int64) (all int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit += by
	return p.limit - p.amount
}

// Keys of the tenant, by their place: what budgets go by.
const keyCount = 8

func project(key int) string { return []string{"alpha", "beta"}[key%2] }
func team(key int) string    { return []string{"red", "blue"}[key/2%2] }
func tier(key int) string    { return []string{"gold", "silver", "bronze", "tin"}[key/2] }

// usefulKey is in a project of its own and is asked for last.
const usefulKey = keyCount

// plan of the budgets: scopes and windows of each kind, of parts of what all callers reserve.
func plan(t *tenant, unit int64) []*planned {
	keyed := func(key int) func(charge) (string, bool) {
		return func(c charge) (string, bool) { return "", c.key == key }
	}
	return []*planned{
		{scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_Organization{Organization: &adminv1.OrganizationScope{}}},
			purse: &purse{name: "organization", amount: unit / 2, raise: unit / 5, of: func(charge) (string, bool) { return "", true }}},
		{scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_ProjectId{ProjectId: t.projects["alpha"]}},
			purse: &purse{name: "project-by-hour", amount: unit / 4, raise: unit / 10, window: window{calendar: time.Hour},
				of: func(c charge) (string, bool) { return "", c.key != usefulKey && project(c.key) == "alpha" }}},
		{scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_ProjectId{ProjectId: t.projects["beta"]}},
			purse: &purse{name: "project-by-minute", amount: unit / 8, window: window{calendar: time.Minute},
				of: func(c charge) (string, bool) { return "", c.key != usefulKey && project(c.key) == "beta" }}},
		{scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_KeyId{KeyId: t.keyIDs[0]}}, purse: &purse{name: "key", amount: unit / 24, raise: unit / 40, of: keyed(0)}},
		{scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_KeyId{KeyId: t.keyIDs[1]}},
			purse: &purse{name: "key-rolling", amount: unit / 32, window: window{rolling: time.Minute}, of: keyed(1)}},
		{scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_Label{Label: &adminv1.LabelScope{Name: "team", Value: new("red")}}},
			purse: &purse{name: "label-rolling", amount: unit / 4, raise: unit / 20, window: window{rolling: 2 * time.Minute},
				of: func(c charge) (string, bool) { return "", c.key != usefulKey && team(c.key) == "red" }}},
		{scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_Label{Label: &adminv1.LabelScope{Name: "tier"}}},
			purse: &purse{name: "label-each", amount: unit / 8, raise: unit / 20, of: func(c charge) (string, bool) {
				if c.key == usefulKey {
					return "", false
				}
				return tier(c.key), true
			}}},
		{scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_ProviderId{ProviderId: t.providers["second"]}},
			purse: &purse{name: "provider", amount: unit / 8, raise: unit / 15, of: func(c charge) (string, bool) { return "", c.provider == "second" }}},
	}
}

type planned struct {
	scope *adminv1.QuotaScope
	purse *purse
}
