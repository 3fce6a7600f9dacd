package rpc_test

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/proto/contract/price"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var (
	loopback = alertchannel.Networks{netip.MustParsePrefix("127.0.0.0/8")}

	builtinPrices = &policyv1.PriceBook{Version: "test", Entries: []*policyv1.PriceEntry{
		{PriceList: "openai", Model: "gpt-5", Rates: &policyv1.Rates{Input: proto.Int64(1_250_000), Output: proto.Int64(10_000_000)}, MaxOutputTokens: 128_000},
		{PriceList: "anthropic", Model: "opus", Rates: &policyv1.Rates{Input: proto.Int64(15_000_000)}},
	}}
)

// webhookSecret is a well-formed one that holds a text.
func webhookSecret(text string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(text+strings.Repeat(".", 32-len(text))))
}

func TestPriceOverrides(t *testing.T) {
	n := install(t).tenant("alpha")
	set := &adminv1.CreatePriceOverrideRequest{
		PriceList: "openai", Model: "gpt-5", Rates: &adminv1.Rates{Input: "1.1250", CacheRead: "0", Output: "9"},
		LongContextThreshold: 1000, LongRates: &adminv1.Rates{Input: "2", Output: "18"},
	}
	made := call(t, n.prices.CreatePriceOverride, set).PriceOverride
	same(t, made.Rates.Input+" "+made.Rates.CacheRead+" "+made.Rates.OutputAudio+" "+made.LongRates.Output, "1.125 0  18")
	refused(t, connect.CodeAlreadyExists, n.prices.CreatePriceOverride, set)
	t.Run("what_does_not_fit_exactly_is_refused", func(t *testing.T) {
		err := refused(t, connect.CodeInvalidArgument, n.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
			PriceOverride: &adminv1.PriceOverride{Id: made.Id, Rates: &adminv1.Rates{Input: "0.0000001"}},
		})
		if !strings.Contains(err.Message(), "price_override.rates.input") {
			t.Error(err)
		}
	})
	t.Run("update_changes_prices_only", func(t *testing.T) {
		after := call(t, n.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
			PriceOverride: &adminv1.PriceOverride{Id: made.Id, Rates: &adminv1.Rates{Input: "1"}},
		}).PriceOverride
		same(t, after.Rates.Input+" "+after.Rates.Output+" "+after.LongRates.Input, "1  2")
		after = call(t, n.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
			PriceOverride: &adminv1.PriceOverride{Id: made.Id}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"long_rates", "long_context_threshold"}},
		}).PriceOverride
		same(t, after.LongRates == nil && after.LongContextThreshold == 0, true)
		refused(t, connect.CodeInvalidArgument, n.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
			PriceOverride: &adminv1.PriceOverride{Id: made.Id, Model: "other"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"model"}},
		})
	})
	t.Run("the_past", func(t *testing.T) {
		was := call(t, n.prices.GetPriceOverride, &adminv1.GetPriceOverrideRequest{
			Id: made.Id, AsOf: &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: n.version() - 1}},
		}).PriceOverride
		same(t, was.LongRates.GetInput(), "2")
	})
	t.Run("delete", func(t *testing.T) {
		refused(t, connect.CodeAborted, n.prices.DeletePriceOverride, &adminv1.DeletePriceOverrideRequest{
			Id: made.Id, Mutation: &adminv1.Mutation{Etag: made.Etag},
		})
		call(t, n.prices.DeletePriceOverride, &adminv1.DeletePriceOverrideRequest{Id: made.Id})
		same(t, len(call(t, n.prices.ListPriceOverrides, &adminv1.ListPriceOverridesRequest{}).PriceOverrides), 1)
		call(t, n.prices.CreatePriceOverride, set)
	})
}

// What people are shown, what policies carry and what agents price with is the same.
func TestPrices(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	call(t, n.prices.CreatePriceOverride, &adminv1.CreatePriceOverrideRequest{
		PriceList: "openai", Model: "gpt-5", Rates: &adminv1.Rates{Input: "1", Output: "8"},
	})
	prices := func() (names []string, version string) {
		for page := (&adminv1.Page{Size: 1}); ; {
			answer := call(t, n.prices.ListPrices, &adminv1.ListPricesRequest{Page: page})
			same(t, len(answer.Prices), 1)
			p := answer.Prices[0]
			names = append(names, p.PriceList+"/"+p.Model+" "+p.Rates.Input)
			if page.Token = answer.NextPageToken; page.Token == "" {
				return names, answer.PriceBookVersion
			}
		}
	}
	compiled := func() *policyv1.PriceBook {
		state, err := in.store.PolicyState(t.Context(), n.policyQuery())
		if err != nil {
			t.Fatal(err)
		}
		resources, err := policy.Compile(state, builtinPrices)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range resources {
			if r.Kind == policy.KindPriceBook {
				book := new(policyv1.PriceBook)
				if err := proto.Unmarshal(r.Body, book); err != nil || r.Id != book.Version {
					t.Fatal(r.Id, err)
				}
				return book
			}
		}
		return nil
	}
	names, version := prices()
	same(t, strings.Join(names, ", "), "anthropic/opus 15, openai/gpt-5 1, own/m 1.25")
	book := compiled()
	same(t, book.Version, version)
	agents, err := price.NewBook(book)
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]int64{"openai gpt-5": 8_001_000, "own m": 10_001_250} {
		list, name, _ := strings.Cut(model, " ")
		entry, ok := agents.Find(list, name)
		if !ok {
			t.Fatalf("agents do not know %s", model)
		}
		nano, priced := entry.Cost(&usagev1.TokenUsage{Input: 1, Output: 1000})
		if nano != want || !priced {
			t.Errorf("%s costs %d, priced %t", model, nano, priced)
		}
		if _, priced := entry.Cost(&usagev1.TokenUsage{CacheRead: 1}); priced {
			t.Errorf("%s: a price that nobody said is known", model)
		}
	}
	entry, _ := agents.Find("openai", "gpt-5")
	same(t, entry.MaxOutputTokens(), 128_000)

	t.Run("the_version_names_every_change", func(t *testing.T) {
		call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "unrelated"})
		_, unmoved := prices()
		same(t, unmoved, version)
		for _, o := range call(t, n.prices.ListPriceOverrides, &adminv1.ListPriceOverridesRequest{}).PriceOverrides {
			call(t, n.prices.DeletePriceOverride, &adminv1.DeletePriceOverrideRequest{Id: o.Id})
			_, after := prices()
			differ(t, after, version)
			same(t, compiled().Version, after)
			version = after
		}
	})
}

func TestSavedReports(t *testing.T) {
	n := install(t).tenant("alpha")
	made := call(t, n.saved.CreateSavedReport, &adminv1.CreateSavedReportRequest{Name: "by-team", Sql: "SELECT project_id FROM requests"}).SavedReport
	refused(t, connect.CodeAlreadyExists, n.saved.CreateSavedReport, &adminv1.CreateSavedReportRequest{Name: "by-team", Sql: "SELECT 1"})
	for _, sql := range []string{"DROP TABLE requests", "SELECT 1; SELECT 2", "SELECT * FROM system.tables"} {
		err := refused(t, connect.CodeInvalidArgument, n.saved.CreateSavedReport, &adminv1.CreateSavedReportRequest{Name: "bad", Sql: sql})
		same(t, detail(t, err).GetReason(), "query_refused")
		refused(t, connect.CodeInvalidArgument, n.saved.UpdateSavedReport, &adminv1.UpdateSavedReportRequest{SavedReport: &adminv1.SavedReport{Id: made.Id, Sql: sql}})
	}
	after := call(t, n.saved.UpdateSavedReport, &adminv1.UpdateSavedReportRequest{SavedReport: &adminv1.SavedReport{Id: made.Id, Description: "who"}}).SavedReport
	same(t, after.Name+after.Description+after.Sql, "by-teamwhoSELECT project_id FROM requests")
	was := call(t, n.saved.GetSavedReport, &adminv1.GetSavedReportRequest{
		Id: made.Id, AsOf: &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: n.version() - 1}},
	}).SavedReport
	same(t, was.Description, "")
	refused(t, connect.CodeAborted, n.saved.DeleteSavedReport, &adminv1.DeleteSavedReportRequest{Id: made.Id, Mutation: &adminv1.Mutation{Etag: made.Etag}})
	call(t, n.saved.DeleteSavedReport, &adminv1.DeleteSavedReportRequest{Id: made.Id})
	same(t, len(call(t, n.saved.ListSavedReports, &adminv1.ListSavedReportsRequest{}).SavedReports), 1)
}
