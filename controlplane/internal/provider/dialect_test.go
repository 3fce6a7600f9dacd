package provider_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	gemini  = eventv1.Dialect_DIALECT_GEMINI
	azure   = eventv1.Dialect_DIALECT_AZURE_OPENAI
	bedrock = eventv1.Dialect_DIALECT_BEDROCK
	vertex  = eventv1.Dialect_DIALECT_VERTEX

	projects = "/v1/projects/acme/locations/"
)

// baseURLs are the public ones.
var baseURLs = map[eventv1.Dialect]string{
	eventv1.Dialect_DIALECT_OPENAI:            "https://api.openai.com/v1",
	eventv1.Dialect_DIALECT_OPENAI_COMPATIBLE: "https://models.example/v1",
	eventv1.Dialect_DIALECT_ANTHROPIC:         "https://api.anthropic.com",
	gemini:                                    "https://generativelanguage.googleapis.com/v1beta",
	azure:                                     "https://acme.openai.azure.com",
	bedrock:                                   "https://bedrock-runtime.us-east-1.amazonaws.com",
	vertex:                                    "https://us-central1-aiplatform.googleapis.com" + projects + "us-central1/publishers/google",
}

// Every dialect of the events can be chosen, and has a base URL above.
func TestEveryDialect(t *testing.T) {
	for number, name := range eventv1.Dialect_name {
		d := eventv1.Dialect(number)
		_, err := provider.Create(creation(func(c *provider.Creation) { c.Dialect, c.BaseURL = d, baseURLs[d] }))
		if (err == nil) != (number != 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A list that the built-in book does not have would price nothing, in silence.
func TestDefaultPriceListsExist(t *testing.T) {
	book, err := pricebook.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string]bool{"": true}
	for _, e := range book.GetEntries() {
		lists[e.GetPriceList()] = true
	}
	for d, base := range baseURLs {
		changes, err := provider.Create(creation(func(c *provider.Creation) { c.Dialect, c.BaseURL = d, base }))
		if err != nil {
			t.Fatal(err)
		}
		if list := changes[0].Body.(*eventv1.ProviderCreated).PriceList; !lists[list] {
			t.Errorf("%s is priced by %q, which the book does not have", d, list)
		}
	}
}

func TestBaseURLByDialect(t *testing.T) {
	for name, c := range map[string]struct {
		dialect eventv1.Dialect
		given   string
		// says is a part of the refusal; empty: it is accepted.
		says string
	}{
		"anthropic_with_a_version":     {eventv1.Dialect_DIALECT_ANTHROPIC, "https://api.anthropic.com/v1/", "without /v1"},
		"gemini_of_version_1":          {gemini, "https://generativelanguage.googleapis.com/v1", ""},
		"gemini_mock":                  {gemini, "http://127.0.0.1:8093/v1beta", ""},
		"gemini_behind_a_path":         {gemini, "https://proxy.example/google/v1beta/", ""},
		"gemini_without_a_version":     {gemini, "https://generativelanguage.googleapis.com", "end in the version"},
		"gemini_models":                {gemini, "https://generativelanguage.googleapis.com/v1beta/models", "end in the version"},
		"gemini_as_openai":             {gemini, "https://generativelanguage.googleapis.com/v1beta/openai", "end in the version"},
		"gemini_of_vertex":             {gemini, baseURLs[vertex], "end in the version"},
		"azure_mock":                   {azure, "http://127.0.0.1:8093", ""},
		"azure_of_another_service":     {azure, "https://acme.cognitiveservices.azure.com/", ""},
		"azure_behind_a_gateway":       {azure, "https://acme.azure-api.net/llm", ""},
		"azure_with_its_openai_path":   {azure, "https://acme.openai.azure.com/openai/v1", "https://RESOURCE.openai.azure.com"},
		"azure_with_a_deployment":      {azure, "https://acme.openai.azure.com/openai/deployments/gpt", "https://RESOURCE.openai.azure.com"},
		"azure_project":                {azure, "https://acme.services.ai.azure.com/api/projects/p", "https://RESOURCE.openai.azure.com"},
		"azure_gateway_with_path":      {azure, "https://acme.azure-api.net/llm/openai", "https://RESOURCE.openai.azure.com"},
		"bedrock_fips":                 {bedrock, "https://bedrock-runtime-fips.us-east-1.amazonaws.com/", ""},
		"bedrock_dual_stack":           {bedrock, "https://bedrock-runtime.eu-central-1.api.aws", ""},
		"bedrock_vpc_endpoint":         {bedrock, "https://vpce-0a1b-c2d3.bedrock-runtime.us-east-1.vpce.amazonaws.com", ""},
		"bedrock_mock":                 {bedrock, "http://127.0.0.1:8093", ""},
		"bedrock_of_another_origin":    {bedrock, "https://bedrock.internal.example", ""},
		"bedrock_that_manages":         {bedrock, "https://bedrock.us-east-1.amazonaws.com", "https://bedrock-runtime.REGION.amazonaws.com"},
		"bedrock_agents":               {bedrock, "https://bedrock-agent-runtime.us-east-1.amazonaws.com", "https://bedrock-runtime.REGION.amazonaws.com"},
		"bedrock_with_a_path":          {bedrock, "https://bedrock-runtime.us-east-1.amazonaws.com/model", "without a path"},
		"vertex_global":                {vertex, "https://aiplatform.googleapis.com" + projects + "global/publishers/google", ""},
		"vertex_of_a_multi_region":     {vertex, "https://aiplatform.eu.rep.googleapis.com" + projects + "eu/publishers/google", ""},
		"vertex_beta":                  {vertex, "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/europe-west4/publishers/google/", ""},
		"vertex_mock":                  {vertex, "http://127.0.0.1:8093" + projects + "us-central1/publishers/google", ""},
		"vertex_origin":                {vertex, "https://us-central1-aiplatform.googleapis.com", "version, project, location and publisher"},
		"vertex_of_another_publisher":  {vertex, "https://us-central1-aiplatform.googleapis.com" + projects + "us-central1/publishers/anthropic", "publisher"},
		"vertex_models":                {vertex, baseURLs[vertex] + "/models", "must end in"},
		"vertex_of_another_location":   {vertex, "https://us-central1-aiplatform.googleapis.com" + projects + "europe-west4/publishers/google", "different locations"},
		"vertex_global_by_a_region":    {vertex, "https://us-central1-aiplatform.googleapis.com" + projects + "global/publishers/google", "different locations"},
		"vertex_region_by_global_host": {vertex, "https://aiplatform.googleapis.com" + projects + "us-central1/publishers/google", "different locations"},
	} {
		t.Run(name, func(t *testing.T) {
			changes, err := provider.Create(creation(func(p *provider.Creation) { p.Dialect, p.BaseURL = c.dialect, c.given }))
			if c.says == "" {
				if err != nil || changes[0].Body.(*eventv1.ProviderCreated).BaseUrl != strings.TrimRight(c.given, "/") {
					t.Errorf("%v, %v", changes, err)
				}
				return
			}
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a refusal with %q", err, c.says)
			}
		})
	}
}

func TestAPIVersion(t *testing.T) {
	for name, c := range map[string]struct {
		dialect eventv1.Dialect
		given   string
		fine    bool
	}{
		"of_azure":        {azure, "2024-10-21", true},
		"preview":         {azure, "2025-04-01-preview", true},
		"none":            {azure, "", true},
		"word":            {azure, "preview", false},
		"more_of_a_query": {azure, "2024-10-21&x=y", false},
		"of_openai":       {eventv1.Dialect_DIALECT_OPENAI, "2024-10-21", false},
		"of_gemini":       {gemini, "2024-10-21", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provider.Create(creation(func(p *provider.Creation) {
				p.Dialect, p.BaseURL, p.APIVersion = c.dialect, baseURLs[c.dialect], c.given
			}))
			if (err == nil) != c.fine || err != nil && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "api_version")) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What is said at creation comes back from the event, and what changes from the next.
func TestSettingsStay(t *testing.T) {
	said := provider.Settings{
		Name: "azure", Dialect: azure, BaseURL: baseURLs[azure], CredentialRef: "env://KEY", Region: "eu", PriceList: "own",
		Headers: map[string]string{"X-Team": "a"}, Timeouts: timeouts.Timeouts{IdleMS: 5}, AllowedModels: []string{"gpt"}, APIVersion: "2024-10-21",
	}
	changes, err := provider.Create(provider.Creation{ID: uuid.New(), Settings: said})
	if err != nil {
		t.Fatal(err)
	}
	made, err := provider.Apply(provider.Provider{}, eventlog.Event{Subject: changes[0].Subject, Body: changes[0].Body})
	if diff := cmp.Diff(said, made.Settings); err != nil || diff != "" {
		t.Error(diff, err)
	}
	said.APIVersion = ""
	if changes, err = made.Update(provider.Change{Settings: said}); err != nil || len(changes) != 1 {
		t.Fatalf("%v, %v", changes, err)
	}
	made, err = provider.Apply(made, eventlog.Event{Subject: made.ID, Body: changes[0].Body})
	if diff := cmp.Diff(said, made.Settings); err != nil || diff != "" {
		t.Error(diff, err)
	}
	restored, err := made.Restore(false)
	if err != nil {
		t.Fatal(err)
	}
	made, err = provider.Apply(provider.Provider{}, eventlog.Event{Subject: made.ID, Body: restored[0].Body})
	if diff := cmp.Diff(said, made.Settings); err != nil || diff != "" {
		t.Error(diff, err)
	}
}
