package rpc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/policy"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// negotiated has all that a price override can say.
func negotiated(provider string) *adminv1.CreatePriceOverrideRequest {
	return &adminv1.CreatePriceOverrideRequest{
		PriceList: "openai", Model: "gpt-5", Rates: &adminv1.Rates{Input: "1", OutputImage: "30"},
		LongContextThreshold: 1000, LongRates: &adminv1.Rates{Input: "2"}, LongContext: adminv1.LongContext_LONG_CONTEXT_MARGINAL,
		ServiceTiers: []*adminv1.ServiceTierRates{
			{Name: "priority", Rates: &adminv1.Rates{Input: "2"}},
			{Name: "flex", Factor: &adminv1.Factor{Numerator: 1, Denominator: 2}},
		},
		RegionFactors: []*adminv1.RegionFactor{{Region: "eu", Factor: &adminv1.Factor{Numerator: 11, Denominator: 10}}},
		GeoFactors:    []*adminv1.RegionFactor{{Region: "us", Factor: &adminv1.Factor{Numerator: 11, Denominator: 10}}},
		PerRequest:    "0.005", PerImage: "0.04", ProviderId: provider,
		EffectiveFrom:  timestamppb.New(time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)),
		EffectiveUntil: timestamppb.New(time.Date(2027, 8, 1, 0, 0, 0, 0, time.UTC)),
	}
}

func TestNegotiatedPrices(t *testing.T) {
	n := install(t).tenant("alpha")
	made := call(t, n.prices.CreatePriceOverride, negotiated(n.provider.Id)).PriceOverride
	same(t, made.ServiceTiers[0].Name+" "+made.ServiceTiers[1].Rates.Input, "flex 2")
	same(t, made.PerRequest+" "+made.PerImage+" "+made.Rates.OutputImage+" "+made.ProviderId, "0.005 0.04 30 "+n.provider.Id)
	refused(t, connect.CodeAlreadyExists, n.prices.CreatePriceOverride, negotiated(n.provider.Id))
	call(t, n.prices.CreatePriceOverride, negotiated("")) // for the list: another one
	later := negotiated(n.provider.Id)
	later.EffectiveFrom = timestamppb.New(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))
	call(t, n.prices.CreatePriceOverride, later)

	after := call(t, n.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
		PriceOverride: &adminv1.PriceOverride{Id: made.Id, PerRequest: "0.006"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"per_request", "geo_factors"}},
	}).PriceOverride
	same(t, fmt.Sprint(after.PerRequest, " ", len(after.GeoFactors), " ", len(after.RegionFactors), " ", after.ProviderId == n.provider.Id), "0.006 0 1 true")
	refused(t, connect.CodeInvalidArgument, n.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
		PriceOverride: &adminv1.PriceOverride{Id: made.Id}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"provider_id"}},
	})

	// Each is a price of its own, with the override that says so.
	var shown []string
	for _, p := range call(t, n.prices.ListPrices, &adminv1.ListPricesRequest{PriceList: "openai"}).Prices {
		from := ""
		if p.EffectiveFrom != nil {
			from = p.EffectiveFrom.AsTime().Format(time.DateOnly)
		}
		shown = append(shown, fmt.Sprintf("%s %s %t %t", p.Model, from, p.ProviderId != "", p.PriceOverrideId != ""))
	}
	same(t, len(shown), 4)
	for _, want := range []string{"gpt-5  false false", "gpt-5 2026-08-01 false true", "gpt-5 2026-08-01 true true", "gpt-5 2026-09-01 true true"} {
		if !strings.Contains(strings.Join(shown, "\n"), want) {
			t.Errorf("no %q of\n%s", want, strings.Join(shown, "\n"))
		}
	}
}

func TestPricesThatAreRefused(t *testing.T) {
	n := install(t).tenant("alpha")
	for name, c := range map[string]struct {
		change func(*adminv1.CreatePriceOverrideRequest)
		code   connect.Code
		said   string
	}{
		"no_provider":     {func(r *adminv1.CreatePriceOverrideRequest) { r.ProviderId = n.project.Id }, connect.CodeNotFound, "no provider"},
		"not_a_provider":  {func(r *adminv1.CreatePriceOverrideRequest) { r.ProviderId = "openai" }, connect.CodeInvalidArgument, "provider_id"},
		"too_fine":        {func(r *adminv1.CreatePriceOverrideRequest) { r.PerRequest = "0.0000000000001" }, connect.CodeInvalidArgument, "per_request"},
		"too_fine_a_tier": {func(r *adminv1.CreatePriceOverrideRequest) { r.ServiceTiers[0].Rates.Input = "0.0000001" }, connect.CodeInvalidArgument, "service_tiers[0].rates.input"},
		"a_factor_of_0":   {func(r *adminv1.CreatePriceOverrideRequest) { r.GeoFactors[0].Factor.Numerator = 0 }, connect.CodeInvalidArgument, "factor"},
		"ends_before":     {func(r *adminv1.CreatePriceOverrideRequest) { r.EffectiveUntil = r.EffectiveFrom }, connect.CodeInvalidArgument, "effective_until"},
	} {
		t.Run(name, func(t *testing.T) {
			request := negotiated(n.provider.Id)
			c.change(request)
			if err := refused(t, c.code, n.prices.CreatePriceOverride, request); !strings.Contains(err.Error(), c.said) {
				t.Error(err)
			}
		})
	}
}

// TestPricesOfAMoment are what agents would price with, of several the one that counts.
func TestPricesOfAMoment(t *testing.T) {
	n := install(t).tenant("alpha")
	day := func(month, day int) *timestamppb.Timestamp {
		return timestamppb.New(time.Date(2026, time.Month(month), day, 0, 0, 0, 0, time.UTC))
	}
	before := n.version()
	made := map[string]string{"": "built in"}
	for name, o := range map[string]*adminv1.CreatePriceOverrideRequest{
		"august":   {Rates: &adminv1.Rates{Input: "1"}, EffectiveFrom: day(8, 1), EffectiveUntil: day(9, 1)},
		"ever":     {Rates: &adminv1.Rates{Input: "2"}},
		"october":  {Rates: &adminv1.Rates{Input: "3"}, EffectiveFrom: day(10, 1)},
		"provider": {Rates: &adminv1.Rates{Input: "4"}, ProviderId: n.provider.Id, EffectiveFrom: day(11, 1)},
	} {
		o.PriceList, o.Model = "openai", "gpt-5"
		made[call(t, n.prices.CreatePriceOverride, o).PriceOverride.Id] = name
	}
	n.provider = call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: n.provider.Id, Region: "eu"}}).Provider

	listed := func(r *adminv1.ListPricesRequest) string {
		var all []string
		r.Filter = `model = "gpt-5"`
		for _, p := range call(t, n.prices.ListPrices, r).Prices {
			all = append(all, made[p.PriceOverrideId])
			same(t, p.BuiltIn.GetRates().GetInput(), map[bool]string{true: "1.25"}[p.PriceOverrideId != ""])
		}
		slices.Sort(all)
		return strings.Join(all, ", ")
	}
	same(t, listed(&adminv1.ListPricesRequest{}), "august, ever, october, provider")
	for at, want := range map[*timestamppb.Timestamp]string{day(7, 1): "ever", day(8, 1): "august", day(9, 1): "ever", day(10, 2): "october", day(11, 2): "october, provider"} {
		same(t, listed(&adminv1.ListPricesRequest{EffectiveAt: at}), want)
	}
	past := &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: before}}
	same(t, listed(&adminv1.ListPricesRequest{AsOf: past}), "built in")
	refused(t, connect.CodeInvalidArgument, n.prices.ListPrices, &adminv1.ListPricesRequest{AsOf: &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: 1 << 40}}})
	only := call(t, n.prices.ListPrices, &adminv1.ListPricesRequest{Filter: "provider_id = " + n.provider.Id}).Prices
	same(t, fmt.Sprint(len(only), only[0].Rates.Input), "14")
	first := call(t, n.prices.ListPrices, &adminv1.ListPricesRequest{EffectiveAt: day(7, 1), Page: &adminv1.Page{Size: 1}})
	refused(t, connect.CodeInvalidArgument, n.prices.ListPrices, &adminv1.ListPricesRequest{EffectiveAt: day(8, 1), Page: &adminv1.Page{Token: first.NextPageToken}})

	found := func(r *adminv1.GetPriceRequest) string {
		answer := call(t, n.prices.GetPrice, r)
		all := []string{answer.Price.GetRates().GetInput()}
		for _, c := range answer.Candidates {
			all = append(all, made[c.Price.PriceOverrideId]+" "+strings.TrimPrefix(c.Standing.String(), "STANDING_"))
		}
		return strings.Join(all, ", ") + "; " + answer.PriceList + answer.Region
	}
	at := func(list, model, provider string, at *timestamppb.Timestamp) *adminv1.GetPriceRequest {
		return &adminv1.GetPriceRequest{PriceList: list, Model: model, ProviderId: provider, EffectiveAt: at}
	}
	same(t, found(at("", "openai/gpt-5", n.provider.Id, day(11, 2))), "4, provider COUNTS, october BEHIND, august OVER, ever BEHIND; openaieu")
	same(t, found(at("", "gpt-5", n.provider.Id, day(8, 2))), "1, provider NOT_YET, october NOT_YET, august COUNTS, ever BEHIND; openaieu")
	same(t, found(at("openai", "gpt-5", "", nil)), "3, october COUNTS, august OVER, ever BEHIND; openai")
	same(t, found(&adminv1.GetPriceRequest{PriceList: "openai", Model: "gpt-5", AsOf: past}), "1.25, built in COUNTS; openai")
	same(t, found(at("openai", "unheard-of", "", nil)), "; openai")
	refused(t, connect.CodeInvalidArgument, n.prices.GetPrice, at("", "gpt-5", "", nil))
	refused(t, connect.CodeInvalidArgument, n.prices.GetPrice, at("openai", "gpt-5", n.provider.Id, nil))
	refused(t, connect.CodeNotFound, n.prices.GetPrice, at("", "gpt-5", n.project.Id, nil))
}

func TestImportPrices(t *testing.T) {
	n := install(t).tenant("alpha")
	const file = `{
		"gpt-5": {"litellm_provider": "openai", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05},
		"gpt-new": {"litellm_provider": "openai", "input_cost_per_token": 2e-06, "input_cost_per_token_flex": 1e-06, "search_context_cost_per_query": {"low": 0.01}},
		"m": {"litellm_provider": "mine", "input_cost_per_token": 3e-06},
		"other": {"litellm_provider": "cohere", "input_cost_per_token": 1e-06},
		"fine": {"litellm_provider": "openai", "input_cost_per_token": 1.23456789e-07}
	}`
	request := func(validate bool) *adminv1.ImportPricesRequest {
		return &adminv1.ImportPricesRequest{
			Litellm: file, Lists: []*adminv1.ImportedList{{LitellmProvider: "openai"}, {LitellmProvider: "mine", PriceList: "own"}},
			Mutation: &adminv1.Mutation{ValidateOnly: validate},
		}
	}
	told := func(answer *adminv1.ImportPricesResponse) string {
		var all []string
		for _, p := range answer.Prices {
			o := p.PriceOverride
			all = append(all, strings.TrimPrefix(p.Change.String(), "CHANGE_")+" "+o.PriceList+"/"+o.Model+" "+o.Rates.Input)
		}
		for _, l := range answer.NotImported {
			all = append(all, "LEFT "+l.Name+" "+l.Field)
		}
		return strings.Join(all, ", ")
	}
	const left = "LEFT fine input_cost_per_token, LEFT gpt-new search_context_cost_per_query, LEFT other "
	const first = "NONE openai/gpt-5 1.25, CREATED openai/gpt-new 2, UPDATED own/m 3, " + left
	head := n.head()
	same(t, told(call(t, n.prices.ImportPrices, request(true))), first)
	same(t, n.head(), head)
	answer := call(t, n.prices.ImportPrices, request(false))
	same(t, told(answer), first)
	same(t, n.head(), head+2)
	same(t, call(t, n.prices.GetPriceOverride, &adminv1.GetPriceOverrideRequest{Id: answer.Prices[1].PriceOverride.Id}).PriceOverride.ServiceTiers[0].Rates.Input, "1")
	same(t, answer.Prices[0].PriceOverride.Id, "")
	same(t, fmt.Sprint(answer.Prices[0].Was, answer.Prices[1].Was, " ", answer.Prices[2].Was.Rates.Input, " ", answer.Prices[2].Was.Id == n.override.Id), "<nil> <nil> 1.25 true")
	same(t, told(call(t, n.prices.ImportPrices, request(false))), "NONE openai/gpt-5 1.25, NONE openai/gpt-new 2, NONE own/m 3, "+left)
	same(t, n.head(), head+2)

	// One that would end is replaced by what the file says, which is for ever.
	call(t, n.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
		PriceOverride: &adminv1.PriceOverride{Id: answer.Prices[1].PriceOverride.Id, EffectiveUntil: timestamppb.New(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))},
	})
	same(t, strings.Contains(told(call(t, n.prices.ImportPrices, request(false))), "UPDATED openai/gpt-new 2"), true)

	for name, change := range map[string]func(*adminv1.ImportPricesRequest){
		"no_json":    func(r *adminv1.ImportPricesRequest) { r.Litellm = `{"a":` },
		"twice":      func(r *adminv1.ImportPricesRequest) { r.Lists = append(r.Lists, r.Lists[0]) },
		"no_lists":   func(r *adminv1.ImportPricesRequest) { r.Lists = nil },
		"not_a_list": func(r *adminv1.ImportPricesRequest) { r.Lists[0].PriceList = "A/B" },
	} {
		wrong := request(false)
		if change(wrong); name == "not_a_list" {
			// no model of it fits, and each says why
			same(t, len(call(t, n.prices.ImportPrices, wrong).Prices), 1)
			continue
		}
		refused(t, connect.CodeInvalidArgument, n.prices.ImportPrices, wrong)
	}
}

// TestPricingSettings reach the gateway's policy.
func TestPricingSettings(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	compiled := func() string {
		state, err := in.store.PolicyState(t.Context(), n.policyQuery())
		if err != nil {
			t.Fatal(err)
		}
		resources, err := policy.Compile(state, builtinPrices)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range resources {
			var g policyv1.Gateway
			if r.Kind == policy.KindGateway {
				if err := proto.Unmarshal(r.Body, &g); err != nil {
					t.Fatal(err)
				}
				return strings.TrimPrefix(g.Unpriced.String(), "UNPRICED_") + " " + g.EstimatePriceList + "/" + g.EstimateModel
			}
		}
		return ""
	}
	same(t, call(t, n.organizations.GetOrganization, &adminv1.GetOrganizationRequest{}).Organization.Pricing.Unpriced, adminv1.Unpriced_UNPRICED_ALLOW)
	same(t, compiled(), "UNSPECIFIED /")
	set := func(p *adminv1.PricingSettings, paths ...string) *adminv1.UpdateOrganizationRequest {
		return &adminv1.UpdateOrganizationRequest{Organization: &adminv1.Organization{Pricing: p}, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}}
	}
	call(t, n.organizations.UpdateOrganization, set(&adminv1.PricingSettings{
		Unpriced: adminv1.Unpriced_UNPRICED_ESTIMATE, EstimatePriceList: "openai", EstimateModel: "gpt-5",
	}, "pricing"))
	same(t, compiled(), "ESTIMATE openai/gpt-5")
	refused(t, connect.CodeInvalidArgument, n.organizations.UpdateOrganization, set(&adminv1.PricingSettings{Unpriced: adminv1.Unpriced_UNPRICED_BLOCK}, "pricing.unpriced"))
	after := call(t, n.organizations.UpdateOrganization, set(&adminv1.PricingSettings{Unpriced: adminv1.Unpriced_UNPRICED_BLOCK}, "pricing")).Organization
	same(t, after.Pricing.EstimateModel, "")
	same(t, compiled(), "BLOCK /")
}
