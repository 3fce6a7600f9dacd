package priceoverride_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var (
	id = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func settings(change func(*priceoverride.Settings)) priceoverride.Settings {
	s := priceoverride.Settings{PriceList: "own", Model: "m", Rates: priceoverride.Rates{Input: proto.Int64(1), Output: proto.Int64(0)}}
	if change != nil {
		change(&s)
	}
	return s
}

func event(rates *eventv1.Rates) *eventv1.PriceOverrideSettings {
	return &eventv1.PriceOverrideSettings{PriceList: "own", Model: "m", Rates: rates}
}

func TestDecisions(t *testing.T) {
	was := priceoverride.PriceOverride{ID: id, Settings: settings(nil), CreatedAt: at, Version: 7}
	said := &eventv1.Rates{Input: proto.Int64(1), Output: proto.Int64(0)}
	type decide = func() ([]eventlog.Change, error)
	create := func(c priceoverride.Creation, change func(*priceoverride.Settings)) decide {
		c.ID, c.Settings = id, settings(change)
		return func() ([]eventlog.Change, error) { return priceoverride.Create(c) }
	}
	none := priceoverride.Creation{}
	long := priceoverride.Rates{Input: proto.Int64(2)}
	half := priceoverride.Factor{Numerator: 1, Denominator: 2}
	tier := func(tiers ...priceoverride.Tier) func(*priceoverride.Settings) {
		return func(s *priceoverride.Settings) { s.Tiers = tiers }
	}
	cases := []struct {
		name    string
		decide  decide
		want    proto.Message // nil: nothing changes, or it is refused
		refused fault.Kind
	}{
		{"create", create(none, nil), &eventv1.PriceOverrideCreated{Settings: event(said)}, 0},
		{"create_twice", create(priceoverride.Creation{Taken: true}, nil), nil, fault.Conflict},
		{"create_one_too_many", create(priceoverride.Creation{Count: priceoverride.Most}, nil), nil, fault.Precondition},
		{"a_list_that_is_no_slug", create(none, func(s *priceoverride.Settings) { s.PriceList = "a/b" }), nil, fault.Invalid},
		{"no_model", create(none, func(s *priceoverride.Settings) { s.Model = "" }), nil, fault.Invalid},
		{"a_long_model", create(none, func(s *priceoverride.Settings) { s.Model = strings.Repeat("m", 201) }), nil, fault.Invalid},
		{"no_prices", create(none, func(s *priceoverride.Settings) { s.Rates = priceoverride.Rates{} }), nil, fault.Invalid},
		{"a_negative_price", create(none, func(s *priceoverride.Settings) { s.Rates.Input = proto.Int64(-1) }), nil, fault.Invalid},
		{"an_absurd_price", create(none, func(s *priceoverride.Settings) { s.Rates.Input = proto.Int64(1e12 + 1) }), nil, fault.Invalid},
		{"a_tier_without_prices", create(none, func(s *priceoverride.Settings) { s.LongContextThreshold = 1 }), nil, fault.Invalid},
		{"prices_without_a_tier", create(none, func(s *priceoverride.Settings) { s.LongRates = long }), nil, fault.Invalid},
		{"a_negative_tier", create(none, func(s *priceoverride.Settings) { s.LongContextThreshold, s.LongRates = -1, long }), nil, fault.Invalid},
		{"an_absurd_long_price", create(none, func(s *priceoverride.Settings) {
			s.LongContextThreshold, s.LongRates = 1, priceoverride.Rates{Input: proto.Int64(-1)}
		}), nil, fault.Invalid},
		{"create_in_order", create(none, func(s *priceoverride.Settings) {
			s.Tiers = []priceoverride.Tier{{Name: "priority", Rates: long}, {Name: "flex", Factor: half}}
			s.Geos = []priceoverride.Region{{Name: "us", Factor: half}, {Name: "eu", Factor: half}}
			s.ProviderID, s.From = id, at.Add(999*time.Nanosecond)
		}), &eventv1.PriceOverrideCreated{Settings: &eventv1.PriceOverrideSettings{
			PriceList: "own", Model: "m", Rates: said, ProviderId: id.String(), EffectiveFrom: timestamppb.New(at),
			ServiceTiers: []*eventv1.ServiceTierRates{{Name: "flex", Factor: &eventv1.Factor{Numerator: 1, Denominator: 2}}, {Name: "priority", Rates: &eventv1.Rates{Input: proto.Int64(2)}}},
			GeoFactors: []*eventv1.RegionFactor{
				{Region: "eu", Factor: &eventv1.Factor{Numerator: 1, Denominator: 2}}, {Region: "us", Factor: &eventv1.Factor{Numerator: 1, Denominator: 2}},
			},
		}}, 0},
		{"by_the_image_alone", create(none, func(s *priceoverride.Settings) { s.Rates, s.PerImage = priceoverride.Rates{}, proto.Int64(0) }), &eventv1.PriceOverrideCreated{
			Settings: &eventv1.PriceOverrideSettings{PriceList: "own", Model: "m", PerImage: proto.Int64(0)},
		}, 0},
		{"standard_is_no_tier", create(none, tier(priceoverride.Tier{Name: "standard", Rates: long})), nil, fault.Invalid},
		{"a_tier_by_another_name", create(none, tier(priceoverride.Tier{Name: "default", Rates: long})), nil, fault.Invalid},
		{"a_tier_of_nothing", create(none, tier(priceoverride.Tier{Name: "flex"})), nil, fault.Invalid},
		{"a_tier_of_both", create(none, tier(priceoverride.Tier{Name: "flex", Rates: long, Factor: half})), nil, fault.Invalid},
		{"a_tier_twice", create(none, tier(priceoverride.Tier{Name: "flex", Rates: long}, priceoverride.Tier{Name: "flex", Factor: half})), nil, fault.Invalid},
		{"a_tier_that_is_long", create(none, tier(priceoverride.Tier{Name: "flex", Rates: long, LongRates: long})), nil, fault.Invalid},
		{"a_tier_by_nothing", create(none, tier(priceoverride.Tier{Name: "flex", Factor: priceoverride.Factor{Numerator: 1}})), nil, fault.Invalid},
		{"too_many_tiers", create(none, tier(make([]priceoverride.Tier, 11)...)), nil, fault.Invalid},
		{"a_region_twice", create(none, func(s *priceoverride.Settings) {
			s.Regions = []priceoverride.Region{{Name: "eu", Factor: half}, {Name: "eu", Factor: half}}
		}), nil, fault.Invalid},
		{"a_region_too_fine", create(none, func(s *priceoverride.Settings) {
			s.Geos = []priceoverride.Region{{Name: "eu", Factor: priceoverride.Factor{Numerator: 1, Denominator: 1001}}}
		}), nil, fault.Invalid},
		{"a_negative_request", create(none, func(s *priceoverride.Settings) { s.PerRequest = -1 }), nil, fault.Invalid},
		{"an_absurd_image", create(none, func(s *priceoverride.Settings) { s.PerImage = proto.Int64(1e15 + 1) }), nil, fault.Invalid},
		{"over_before_it_begins", create(none, func(s *priceoverride.Settings) { s.From, s.Until = at, at }), nil, fault.Invalid},
		{"before_all_time", create(none, func(s *priceoverride.Settings) { s.From = time.Unix(-1, 0) }), nil, fault.Invalid},
		{"beyond_nothing", create(none, func(s *priceoverride.Settings) { s.Marginal = true }), nil, fault.Invalid},
		{"update", func() ([]eventlog.Change, error) {
			return was.Update(priceoverride.Settings{PriceList: "other", Model: "other", Rates: long})
		}, &eventv1.PriceOverrideUpdated{Settings: event(&eventv1.Rates{Input: proto.Int64(2)})}, 0},
		{"update_to_the_same", func() ([]eventlog.Change, error) { return was.Update(settings(nil)) }, nil, 0},
		{"unknown_is_not_the_same_as_free", func() ([]eventlog.Change, error) {
			return was.Update(settings(func(s *priceoverride.Settings) { s.Rates.Output = nil }))
		}, &eventv1.PriceOverrideUpdated{Settings: event(&eventv1.Rates{Input: proto.Int64(1)})}, 0},
		{"archive", func() ([]eventlog.Change, error) { return was.Archive(), nil }, &eventv1.PriceOverrideArchived{}, 0},
		{"restore", func() ([]eventlog.Change, error) { return was.Restore(false, 0) }, &eventv1.PriceOverrideRestored{
			Settings: event(said), CreatedAt: timestamppb.New(at),
		}, 0},
		{"restore_taken", func() ([]eventlog.Change, error) { return was.Restore(true, 0) }, nil, fault.Conflict},
		{"restore_one_too_many", func() ([]eventlog.Change, error) { return was.Restore(false, priceoverride.Most) }, nil, fault.Precondition},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changes, err := c.decide()
			if c.refused != 0 {
				if !fault.Is(err, c.refused) || changes != nil {
					t.Errorf("got %v, %v", changes, err)
				}
				return
			}
			var want []eventlog.Change
			if c.want != nil {
				want = []eventlog.Change{{Subject: id, Body: c.want}}
			}
			if diff := cmp.Diff(want, changes, protocmp.Transform()); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestApply(t *testing.T) {
	rates := &eventv1.Rates{
		Input: proto.Int64(1), CacheRead: proto.Int64(2), CacheWrite_5M: proto.Int64(3), CacheWrite_1H: proto.Int64(4),
		Output: proto.Int64(5), InputAudio: proto.Int64(6), OutputAudio: proto.Int64(0),
	}
	said := &eventv1.PriceOverrideSettings{PriceList: "own", Model: "m", Rates: rates, LongContextThreshold: 9, LongRates: rates}
	want := priceoverride.Rates{
		Input: proto.Int64(1), CacheRead: proto.Int64(2), CacheWrite5m: proto.Int64(3), CacheWrite1h: proto.Int64(4),
		Output: proto.Int64(5), InputAudio: proto.Int64(6), OutputAudio: proto.Int64(0),
	}
	full := priceoverride.Settings{PriceList: "own", Model: "m", Rates: want, LongContextThreshold: 9, LongRates: want}
	was := priceoverride.PriceOverride{ID: id, Settings: settings(nil), CreatedAt: at, Version: 2}
	later := at.Add(time.Hour)
	factor := &eventv1.Factor{Numerator: 11, Denominator: 10}
	said.ServiceTiers = []*eventv1.ServiceTierRates{{Name: "fast", Factor: factor}, {Name: "flex", Rates: rates, LongRates: rates}}
	said.RegionFactors, said.GeoFactors = []*eventv1.RegionFactor{{Region: "eu", Factor: factor}}, []*eventv1.RegionFactor{{Region: "us", Factor: factor}}
	said.LongContext, said.PerRequest, said.PerImage = eventv1.LongContext_LONG_CONTEXT_MARGINAL, 7, proto.Int64(0)
	said.ProviderId, said.EffectiveFrom, said.EffectiveUntil = id.String(), timestamppb.New(at), timestamppb.New(later)
	tenth := priceoverride.Factor{Numerator: 11, Denominator: 10}
	full.Tiers = []priceoverride.Tier{{Name: "fast", Factor: tenth}, {Name: "flex", Rates: want, LongRates: want}}
	full.Regions, full.Geos = []priceoverride.Region{{Name: "eu", Factor: tenth}}, []priceoverride.Region{{Name: "us", Factor: tenth}}
	full.Marginal, full.PerRequest, full.PerImage = true, 7, proto.Int64(0)
	full.ProviderID, full.From, full.Until = id, at, later
	for _, c := range []struct {
		name string
		was  priceoverride.PriceOverride
		body proto.Message
		made time.Time
	}{
		{"created", priceoverride.PriceOverride{}, &eventv1.PriceOverrideCreated{Settings: said}, later},
		{"updated", was, &eventv1.PriceOverrideUpdated{Settings: said}, at},
		{"restored", priceoverride.PriceOverride{}, &eventv1.PriceOverrideRestored{Settings: said, CreatedAt: timestamppb.New(at)}, at},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := priceoverride.Apply(c.was, eventlog.Event{Version: 5, Subject: id, RecordedAt: later, Body: c.body})
			if diff := cmp.Diff(priceoverride.PriceOverride{ID: id, Settings: full, CreatedAt: c.made, Version: 5}, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	if _, err := priceoverride.Apply(was, eventlog.Event{Body: &eventv1.KeyRevoked{}}); err == nil {
		t.Error("folded another's event")
	}
}
