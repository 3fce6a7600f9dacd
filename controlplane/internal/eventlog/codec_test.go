package eventlog_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const someID = "0198a5c2-7d3e-7f00-8a11-0123456789ab"

var someTime = timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))

var someProvider = &eventv1.ProviderSettings{
	Name: "openai", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1",
	CredentialRef: "env://OPENAI_API_KEY", Region: "us", PriceList: "openai", Headers: map[string]string{"Openai-Organization": "org-1"},
	Timeouts: someTimeouts, AllowedModels: []string{"gpt-5"},
}

var someRoute = &eventv1.RouteSettings{
	Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_SINGLE, Targets: []*eventv1.Target{{ProviderId: someID, Model: "gpt-5-2025"}},
	Timeouts: someTimeouts, AllowedProjectIds: []string{someID},
}

var someRollout = &eventv1.RolloutSettings{
	Strategy: eventv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY, Steps: []int32{10, 50}, BakeSeconds: 300, MaxErrorRise: 5, MinRequests: 100,
}

var someTimeouts = &eventv1.Timeouts{FirstByteMs: 1000, IdleMs: 2000, TotalMs: 30000}

// stored is one event of every kind; its file must decode for ever. A new kind
// gets a line here and a file; a file never changes.
var stored = []proto.Message{
	&eventv1.OrganizationCreated{Name: "acme", DisplayName: "ACME Corp"},
	&eventv1.OrganizationUpdated{Name: "acme", DisplayName: "ACME Corp", AllowedRegions: []string{"eu", "us"}},
	&eventv1.OrganizationSuspended{Reason: "unpaid"},
	&eventv1.OrganizationResumed{},
	&eventv1.OrganizationArchived{},
	&eventv1.RoleBindingCreated{MemberId: someID, Role: eventv1.Role_ROLE_ADMIN, ProjectId: someID},
	&eventv1.RoleBindingArchived{},
	&eventv1.MemberAdded{Role: eventv1.Role_ROLE_OWNER},
	&eventv1.MemberInvited{Role: eventv1.Role_ROLE_ADMIN, ExpiresAt: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))},
	&eventv1.MemberJoined{},
	&eventv1.MemberRoleChanged{Role: eventv1.Role_ROLE_VIEWER},
	&eventv1.MemberRemoved{},
	&eventv1.MemberErased{},
	&eventv1.MemberSessionsRevoked{SessionId: someID},
	&eventv1.JoinDomainAdded{Domain: "acme.example", Role: eventv1.Role_ROLE_ANALYST},
	&eventv1.JoinDomainChanged{Role: eventv1.Role_ROLE_VIEWER},
	&eventv1.JoinDomainRemoved{},
	&eventv1.ProjectCreated{Name: "chatbot", DisplayName: "Chatbot"},
	&eventv1.ProjectUpdated{Name: "chatbot", DisplayName: "Chat bot"},
	&eventv1.ProjectArchived{},
	&eventv1.ProjectRestored{Name: "chatbot", DisplayName: "Chatbot", CreatedAt: someTime},
	&eventv1.ProviderCreated{
		Name: "openai", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1",
		CredentialRef: "env://OPENAI_API_KEY", Region: "us", PriceList: "openai",
	},
	&eventv1.ProviderUpdated{Settings: someProvider},
	&eventv1.ProviderArchived{},
	&eventv1.ProviderRestored{Settings: someProvider, CreatedAt: someTime},
	&eventv1.RouteUpdated{Settings: someRoute},
	&eventv1.RouteArchived{},
	&eventv1.RouteRestored{Settings: someRoute, CreatedAt: someTime},
	&eventv1.KeyUpdated{Name: "laptop", RouteIds: []string{someID}, ExpiresAt: someTime, Labels: map[string]string{"team": "search"}},
	&eventv1.KeyRotated{Sha256: bytes.Repeat([]byte{11}, 32), Suffix: "Zz9x", PreviousExpiresAt: someTime},
	&eventv1.KeyArchived{},
	&eventv1.GatewayUpdated{Name: "prod-us"},
	&eventv1.GatewayKeySet{PublicKey: bytes.Repeat([]byte{12}, 32)},
	&eventv1.GatewayArchived{},
	&eventv1.GatewayRolloutSet{Rollout: someRollout},
	&eventv1.RolloutStarted{GatewayId: someID, BaseVersion: 3, CandidateVersion: 7, AgentIds: []string{someID}},
	&eventv1.RolloutRestarted{CandidateVersion: 9, AgentIds: []string{someID}},
	&eventv1.RolloutAdvanced{Step: 1, AgentIds: []string{someID}, Percent: 10},
	&eventv1.RolloutHeld{Cause: eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REJECTED, Reason: "no such dialect", AgentId: someID},
	&eventv1.RolloutResumed{},
	&eventv1.RolloutFinished{},
	&eventv1.RolloutAbandoned{Reason: "its gateway was deleted"},
	&eventv1.GatewayWentBack{GatewayId: someID, Version: 3, Reason: "a bad price"},
	&eventv1.GatewayWentForward{},
	&eventv1.GatewayRestored{Name: "prod-eu", Region: "eu", CreatedAt: someTime},
	&eventv1.EnrolmentTokenRevoked{Reason: "leaked"},
	&eventv1.ServiceAccountUpdated{Name: "ci", Role: eventv1.Role_ROLE_VIEWER},
	&eventv1.ServiceAccountArchived{},
	&eventv1.RouteCreated{
		Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_SINGLE,
		Targets: []*eventv1.Target{{ProviderId: someID, Model: "gpt-5-2025"}},
	},
	&eventv1.KeyCreated{
		ProjectId: someID, Name: "laptop", Sha256: bytes.Repeat([]byte{7}, 32), Suffix: "x1Yz",
		RouteIds: []string{someID}, ExpiresAt: timestamppb.New(time.Date(2027, 1, 2, 3, 4, 5, 678900000, time.UTC)),
	},
	&eventv1.KeyRevoked{Reason: "leaked", RevokedAt: someTime},
	&eventv1.KeyOverlapEnded{Reason: "leaked", EndedAt: someTime},
	&eventv1.GatewayCreated{Name: "prod-eu", Region: "eu"},
	&eventv1.EnrolmentTokenCreated{
		GatewayId: someID, Sha256: bytes.Repeat([]byte{8}, 32), MaxUses: 3,
		ExpiresAt: someTime,
	},
	&eventv1.AgentEnrolled{GatewayId: someID, EnrolmentTokenId: someID, PublicKey: bytes.Repeat([]byte{9}, 32), Name: "host-1"},
	&eventv1.AgentRenamed{Name: "edge-1"},
	&eventv1.AgentRevoked{Reason: "stolen", RevokedAt: someTime},
	&eventv1.ServiceAccountCreated{Name: "ci", Role: eventv1.Role_ROLE_ANALYST},
	&eventv1.ServiceAccountTokenCreated{
		ServiceAccountId: someID, Name: "first", Sha256: bytes.Repeat([]byte{10}, 32), Suffix: "9aBc",
		ExpiresAt: timestamppb.New(time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)),
	},
	&eventv1.ServiceAccountTokenRevoked{Reason: "rotated"},
	&eventv1.PriceOverrideCreated{Settings: somePrice},
	&eventv1.PriceOverrideUpdated{Settings: somePrice},
	&eventv1.PriceOverrideArchived{},
	&eventv1.PriceOverrideRestored{Settings: somePrice, CreatedAt: someTime},
	&eventv1.LimitCreated{Settings: someLimit},
	&eventv1.LimitUpdated{Settings: someLimit},
	&eventv1.LimitArchived{},
	&eventv1.LimitRestored{Settings: someLimit, CreatedAt: someTime},
	&eventv1.LimitLeasesReleased{Epoch: 7, Reason: "it never comes back"},
	&eventv1.BudgetCreated{Settings: someBudget},
	&eventv1.BudgetUpdated{Settings: &eventv1.BudgetSettings{
		Name: "team", Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_LABEL, Label: "team", LabelValue: proto.String("")}, AmountNanoUsd: 1,
		Window: &eventv1.BudgetSettings_Rolling{Rolling: &eventv1.RollingWindow{DurationSeconds: 3600}},
		Mode:   eventv1.QuotaMode_QUOTA_MODE_SOFT, WhenUnreachable: eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW,
	}},
	someRaise,
	&eventv1.BudgetArchived{},
	&eventv1.BudgetRestored{Settings: &eventv1.BudgetSettings{
		Name: "all", Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, AmountNanoUsd: 1_000_000_000_000_000_000,
		Window: &eventv1.BudgetSettings_Lifetime{Lifetime: &eventv1.LifetimeWindow{}}, Mode: eventv1.QuotaMode_QUOTA_MODE_OFF,
	}, CreatedAt: someTime, Raise: someRaise},
	&eventv1.BudgetLeaseWrittenOff{
		Window: "2026-01-01T00:00:00Z/2026-02-01T00:00:00Z", Subject: "jo", AgentId: someID, Boot: "00000001-0123456789abcdef",
		HeldNanoUsd: 1_000_000_000, Reason: "its disk is gone",
	},
	&eventv1.BudgetLeasesReleased{Epoch: 7, Reason: "it never comes back"},
	&eventv1.RerateStarted{
		From: someTime, Until: someTime, ProjectId: "0192a000-0000-7000-8000-000000000001", ProviderId: "0192a000-0000-7000-8000-000000000002", Model: "gpt-5",
		BuiltinVersion: "builtin-2026-07.2", PriceOverridesVersion: 77, CoveredUntil: someTime, PriceUnpriced: true, Reason: "the price was wrong",
	},
	&eventv1.SavedReportCreated{Name: "spend", Description: "by team", Sql: "SELECT 1"},
	&eventv1.SavedReportUpdated{Name: "spend", Description: "by team", Sql: "SELECT 1"},
	&eventv1.SavedReportArchived{},
	&eventv1.SavedReportRestored{Name: "spend", Description: "by team", Sql: "SELECT 1", CreatedAt: someTime},
	&eventv1.AlertChannelCreated{Name: "hook", Url: "https://hooks.example/weir"},
	&eventv1.AlertChannelUpdated{Name: "hook", Url: "https://hooks.example/weir"},
	&eventv1.AlertChannelSecretSet{},
	&eventv1.AlertChannelArchived{},
	&eventv1.AlertChannelRestored{Name: "hook", Url: "https://hooks.example/weir", CreatedAt: someTime},
}

// storedSince are kinds above with fields that came later, by their files.
var storedSince = map[string]proto.Message{
	"OrganizationUpdated.pricing.json": &eventv1.OrganizationUpdated{Name: "acme", DisplayName: "ACME Corp", Pricing: &eventv1.PricingSettings{
		Unpriced: eventv1.Unpriced_UNPRICED_ESTIMATE, EstimatePriceList: "openai", EstimateModel: "gpt-5",
	}},
	"PriceOverrideCreated.tiered.json": &eventv1.PriceOverrideCreated{Settings: tieredPrice},
	"OrganizationUpdated.usage.json": &eventv1.OrganizationUpdated{Name: "acme", DisplayName: "ACME Corp", Usage: &eventv1.UsageSettings{
		EndUsers: eventv1.EndUsers_END_USERS_PLAIN,
		Labels:   []*eventv1.LabelRule{{Name: "team", MaxBytes: 64}, {Name: "ticket", MaxBytes: 16, Pattern: "[A-Z]+-[0-9]+"}},
	}},
	"ProviderUpdated.sealed.json": &eventv1.ProviderUpdated{Settings: &eventv1.ProviderSettings{
		Name: "openai", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1",
		SealedCredentials: []*eventv1.SealedCredential{{GatewayId: someID, Version: 3, Sealed: []byte("ciphertext")}},
	}},
	"ProviderCreated.versioned.json": &eventv1.ProviderCreated{
		Name: "azure", Dialect: eventv1.Dialect_DIALECT_AZURE_OPENAI, BaseUrl: "https://acme.openai.azure.com", ApiVersion: "2024-10-21",
	},
	"ProviderUpdated.versioned.json": &eventv1.ProviderUpdated{Settings: &eventv1.ProviderSettings{
		Name: "azure", Dialect: eventv1.Dialect_DIALECT_AZURE_OPENAI, BaseUrl: "https://acme.openai.azure.com", ApiVersion: "2024-10-21",
	}},
	"ProjectCreated.weighted.json":  &eventv1.ProjectCreated{Name: "chatbot", DisplayName: "Chatbot", Weight: 3},
	"ProjectUpdated.weighted.json":  &eventv1.ProjectUpdated{Name: "chatbot", DisplayName: "Chatbot", Weight: 100},
	"ProjectRestored.weighted.json": &eventv1.ProjectRestored{Name: "chatbot", DisplayName: "Chatbot", CreatedAt: someTime, Weight: 3},
	"KeyCreated.weighted.json": &eventv1.KeyCreated{
		ProjectId: someID, Name: "laptop", Sha256: bytes.Repeat([]byte{7}, 32), Suffix: "x1Yz", Weight: 3, Priority: eventv1.Priority_PRIORITY_BATCH,
	},
	"KeyUpdated.weighted.json": &eventv1.KeyUpdated{Name: "laptop", Weight: 3, Priority: eventv1.Priority_PRIORITY_INTERACTIVE},
	"ProviderCreated.queued.json": &eventv1.ProviderCreated{
		Name: "openai", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1", Queue: someQueue,
	},
	"ProviderUpdated.queued.json": &eventv1.ProviderUpdated{Settings: &eventv1.ProviderSettings{
		Name: "openai", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1", Queue: someQueue,
	}},
	"ProviderUpdated.gemini.json":  providerOf(eventv1.Dialect_DIALECT_GEMINI),
	"ProviderUpdated.bedrock.json": providerOf(eventv1.Dialect_DIALECT_BEDROCK),
	"ProviderUpdated.vertex.json":  providerOf(eventv1.Dialect_DIALECT_VERTEX),
	"RouteCreated.strict.json": &eventv1.RouteCreated{
		Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_SINGLE, Targets: []*eventv1.Target{{ProviderId: someID, Model: "gpt-5-2025"}}, Strict: true,
	},
	"RouteUpdated.strict.json": &eventv1.RouteUpdated{Settings: &eventv1.RouteSettings{
		Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_SINGLE, Targets: []*eventv1.Target{{ProviderId: someID, Model: "gpt-5-2025"}}, Strict: true,
	}},
	"RouteCreated.sticky.json": &eventv1.RouteCreated{
		Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_STICKY, Targets: someTargets, Sticky: someSticky,
		Timeouts: &eventv1.Timeouts{ConnectMs: 300, FirstTokenMs: 20_000},
	},
	"RouteUpdated.sticky.json": &eventv1.RouteUpdated{Settings: &eventv1.RouteSettings{
		Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_STICKY, Targets: someTargets, Sticky: someSticky,
	}},
	"RouteCreated.hedged.json": &eventv1.RouteCreated{
		Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_LATENCY, Targets: someTargets, Hedge: someHedge, Canary: someShare, Shadow: someShare,
		Retry: &eventv1.Retry{On: []eventv1.Failure{eventv1.Failure_FAILURE_CONTEXT_TOO_LONG, eventv1.Failure_FAILURE_CONTENT_FILTER}},
	},
	"RouteUpdated.hedged.json": &eventv1.RouteUpdated{Settings: &eventv1.RouteSettings{
		Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_LEAST_BUSY, Targets: someTargets, Hedge: someHedge, Canary: someShare, Shadow: someShare,
	}},
	"RouteRestored.hedged.json": &eventv1.RouteRestored{CreatedAt: someTime, Settings: &eventv1.RouteSettings{
		Name: "gpt-5", Strategy: eventv1.Strategy_STRATEGY_CHEAPEST, Targets: someTargets, Hedge: someHedge, Canary: someShare, Shadow: someShare,
	}},
	"GatewayUpdated.aged.json":        &eventv1.GatewayUpdated{Name: "prod-us", CredentialMaxAgeSeconds: 86_400},
	"GatewayCreated.unrecorded.json":  &eventv1.GatewayCreated{Name: "prod-eu", Region: "eu", WhenSpoolFull: eventv1.SpoolFull_SPOOL_FULL_TOMBSTONE},
	"GatewayUpdated.unrecorded.json":  &eventv1.GatewayUpdated{Name: "prod-eu", WhenSpoolFull: eventv1.SpoolFull_SPOOL_FULL_TOMBSTONE},
	"GatewayRestored.unrecorded.json": &eventv1.GatewayRestored{Name: "prod-eu", Region: "eu", CreatedAt: someTime, WhenSpoolFull: eventv1.SpoolFull_SPOOL_FULL_TOMBSTONE},
	"GatewayRestored.aged.json": &eventv1.GatewayRestored{
		Name: "prod-eu", Region: "eu", CreatedAt: someTime, CredentialMaxAgeSeconds: 86_400,
	},
	"GatewayRestored.keyed.json": &eventv1.GatewayRestored{
		Name: "prod-eu", Region: "eu", CreatedAt: someTime, PublicKey: bytes.Repeat([]byte{12}, 32),
	},
	"GatewayCreated.staged.json":   &eventv1.GatewayCreated{Name: "prod-eu", Region: "eu", CredentialMaxAgeSeconds: 86_400, Rollout: someRollout},
	"GatewayCreated.regions.json":  &eventv1.GatewayCreated{Name: "prod-eu", Region: "eu", AllowedRegions: []string{"eu", "eu-west-1"}},
	"GatewayUpdated.regions.json":  &eventv1.GatewayUpdated{Name: "prod-eu", AllowedRegions: []string{"eu", "eu-west-1"}},
	"GatewayRestored.regions.json": &eventv1.GatewayRestored{Name: "prod-eu", Region: "eu", CreatedAt: someTime, AllowedRegions: []string{"eu"}},
	"GatewayRestored.staged.json":  &eventv1.GatewayRestored{Name: "prod-eu", Region: "eu", CreatedAt: someTime, Rollout: someRollout},
}

var someQueue = &eventv1.Queue{MaxRequests: 100, MaxWaitMs: 5000}

var someTargets = []*eventv1.Target{{ProviderId: someID, Model: "gpt-5-2025"}, {ProviderId: someID, Model: "gpt-5-mini", When: `metadata.tier == "gold"`}}

var someSticky = &eventv1.Sticky{By: eventv1.StickyBy_STICKY_BY_HEADER, Header: "X-Session", MinTokens: 2048, BreakEvenPercent: 150}

var someHedge = &eventv1.Hedge{Percentile: 90, MinMs: 100, MaxPercent: 20}

var someShare = &eventv1.Share{Target: &eventv1.Target{ProviderId: someID, Model: "gpt-6"}, PerMille: 50}

func providerOf(d eventv1.Dialect) *eventv1.ProviderUpdated {
	return &eventv1.ProviderUpdated{Settings: &eventv1.ProviderSettings{Name: "p", Dialect: d, BaseUrl: "https://p.example"}}
}

var tieredPrice = &eventv1.PriceOverrideSettings{
	PriceList: "own", Model: "gpt-5", LongContextThreshold: 200_000, LongContext: eventv1.LongContext_LONG_CONTEXT_MARGINAL,
	Rates:     &eventv1.Rates{Input: proto.Int64(1_250_000), InputImage: proto.Int64(4), OutputImage: proto.Int64(0)},
	LongRates: &eventv1.Rates{Input: proto.Int64(2_500_000)},
	ServiceTiers: []*eventv1.ServiceTierRates{
		{Name: "fast", Factor: &eventv1.Factor{Numerator: 6, Denominator: 1}},
		{Name: "flex", Rates: &eventv1.Rates{Input: proto.Int64(1)}, LongRates: &eventv1.Rates{Input: proto.Int64(2)}},
	},
	RegionFactors: []*eventv1.RegionFactor{{Region: "eu", Factor: &eventv1.Factor{Numerator: 11, Denominator: 10}}},
	GeoFactors:    []*eventv1.RegionFactor{{Region: "us", Factor: &eventv1.Factor{Numerator: 11, Denominator: 10}}},
	ProviderId:    someID, EffectiveFrom: someTime, EffectiveUntil: timestamppb.New(time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)),
	PerRequest: 5_000_000_000, PerImage: proto.Int64(0),
}

var somePrice = &eventv1.PriceOverrideSettings{
	PriceList: "own", Model: "gpt-5", LongContextThreshold: 200_000,
	Rates: &eventv1.Rates{
		Input: proto.Int64(1_250_000), CacheRead: proto.Int64(0), CacheWrite_5M: proto.Int64(1), CacheWrite_1H: proto.Int64(2),
		Output: proto.Int64(10_000_000), InputAudio: proto.Int64(3), OutputAudio: proto.Int64(1_000_000_000_000),
	},
	LongRates: &eventv1.Rates{Input: proto.Int64(2_500_000)},
}

var someLimit = &eventv1.LimitSettings{
	Name: "rpm", Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_KEY, Id: someID, ProjectId: someID},
	Metric: eventv1.LimitMetric_LIMIT_METRIC_TOKENS, Amount: 100_000, Window: eventv1.LimitWindow_LIMIT_WINDOW_MINUTE,
	Mode: eventv1.QuotaMode_QUOTA_MODE_OFF, WhenUnreachable: eventv1.WhenUnreachable_WHEN_UNREACHABLE_REFUSE,
}

var someBudget = &eventv1.BudgetSettings{
	Name: "team", Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_PROJECT, Id: someID}, AmountNanoUsd: 5_000_000_000,
	Window: &eventv1.BudgetSettings_Calendar{
		Calendar: &eventv1.CalendarWindow{Period: eventv1.CalendarPeriod_CALENDAR_PERIOD_QUARTER, TimeZone: "Europe/Berlin"},
	},
	CarryOver: true, AlertPercents: []int32{50, 100}, AlertChannelIds: []string{someID}, Mode: eventv1.QuotaMode_QUOTA_MODE_HARD,
}

var someRaise = &eventv1.BudgetRaised{AmountNanoUsd: 1_000_000_000, ExpiresAt: someTime, Reason: "launch"}

func TestStoredForms(t *testing.T) {
	for _, body := range stored {
		kind := string(body.ProtoReflect().Descriptor().Name())
		t.Run(kind, func(t *testing.T) { wantStored(t, body, kind+".json") })
	}
	for file, body := range storedSince {
		t.Run(file, func(t *testing.T) { wantStored(t, body, file) })
	}
}

func wantStored(t *testing.T, body proto.Message, file string) {
	t.Helper()
	kind, payload, err := eventlog.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(bytes.TrimSpace(golden)), string(payload)); diff != "" {
		t.Errorf("stored form (-golden +now):\n%s", diff)
	}
	decoded, err := eventlog.Decode(kind, golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(body, decoded, protocmp.Transform()); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

func TestEveryKindHasAStoredForm(t *testing.T) {
	parts := map[string]bool{ // of events, none themselves
		"Target": true, "Retry": true, "Sticky": true, "Hedge": true, "Share": true, "Timeouts": true, "ProviderSettings": true, "SealedCredential": true, "RouteSettings": true, "Rates": true, "PriceOverrideSettings": true,
		"QuotaScope": true, "LimitSettings": true, "BudgetSettings": true, "CalendarWindow": true, "RollingWindow": true, "LifetimeWindow": true,
		"RolloutSettings": true, "UsageSettings": true, "LabelRule": true,
		"Factor": true, "RegionFactor": true, "Queue": true, "ServiceTierRates": true, "PricingSettings": true,
	}
	have := map[string]bool{}
	for _, body := range stored {
		have[string(body.ProtoReflect().Descriptor().Name())] = true
	}
	messages := eventv1.File_weir_event_v1_event_proto.Messages()
	for i := range messages.Len() {
		if name := string(messages.Get(i).Name()); !have[name] && !parts[name] {
			t.Errorf("%s has no stored form in this test", name)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Run("unknown_kind", func(t *testing.T) {
		if _, err := eventlog.Decode("MoonLanded", []byte(`{}`)); !errors.Is(err, eventlog.ErrUnknownKind) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unknown_field_is_loud", func(t *testing.T) {
		if _, err := eventlog.Decode("KeyRevoked", []byte(`{"moon":1}`)); err == nil {
			t.Error("a field of a newer build was dropped")
		}
	})
}

func TestEncode(t *testing.T) {
	if _, _, err := eventlog.Encode(&timestamppb.Timestamp{}); err == nil {
		t.Error("encoded what is no event")
	}
}
