package provider_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func creation(change func(*provider.Creation)) provider.Creation {
	c := provider.Creation{
		ID: uuid.New(), Settings: provider.Settings{
			Name: "openai", Dialect: eventv1.Dialect_DIALECT_OPENAI,
			BaseURL: "https://api.openai.com/v1", CredentialRef: "env://OPENAI_API_KEY",
		},
	}
	change(&c)
	return c
}

func TestBaseURL(t *testing.T) {
	cases := []struct{ name, given, want string }{
		{"plain", "https://api.openai.com/v1", "https://api.openai.com/v1"},
		{"trailing_slash", "https://api.openai.com/v1//", "https://api.openai.com/v1"},
		{"origin_only", "http://127.0.0.1:8093/", "http://127.0.0.1:8093"},
		{"upper_case_host", "HTTPS://API.OpenAI.com/V1", "https://api.openai.com/V1"},
		{"ipv6", "http://[::1]:80/v1", "http://[::1]:80/v1"},
		{"escaped_path", "https://h/a%2Fb", "https://h/a%2Fb"},
		{"other_scheme", "ftp://h/v1", ""},
		{"no_scheme", "api.openai.com/v1", ""},
		{"no_host", "https:///v1", ""},
		{"opaque", "https:api.openai.com", ""},
		{"user", "https://me@h/v1", ""},
		{"empty_user", "https://@h/v1", ""},
		{"password", "https://me:secret@h/v1", ""},
		{"query", "https://h/v1?key=1", ""},
		{"empty_query", "https://h/v1?", ""},
		{"fragment", "https://h/v1#x", ""},
		{"empty_fragment", "https://h/v1#", ""},
		{"port_zero", "https://h:0/v1", ""},
		{"port_too_high", "https://h:65536/v1", ""},
		{"empty_port", "https://h:/v1", ""},
		{"dot_segments", "https://h/v1/../admin", ""},
		{"escaped_dot_segments", "https://h/v1/%2e%2e/admin", ""},
		{"backslash", `https://h\@evil/v1`, ""},
		{"control", "https://h/v1\n", ""},
		{"space", "https://h h/v1", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changes, err := provider.Create(creation(func(p *provider.Creation) { p.BaseURL = c.given }))
			if c.want == "" {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("got %v, %v", changes, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := changes[0].Body.(*eventv1.ProviderCreated).BaseUrl; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCreate(t *testing.T) {
	t.Run("price_lists", func(t *testing.T) {
		for d, want := range map[eventv1.Dialect]string{
			eventv1.Dialect_DIALECT_OPENAI: "openai", eventv1.Dialect_DIALECT_OPENAI_COMPATIBLE: "",
			eventv1.Dialect_DIALECT_ANTHROPIC: "anthropic", eventv1.Dialect_DIALECT_GEMINI: "gemini",
			eventv1.Dialect_DIALECT_AZURE_OPENAI: "", eventv1.Dialect_DIALECT_BEDROCK: "bedrock", eventv1.Dialect_DIALECT_VERTEX: "",
		} {
			changes, err := provider.Create(creation(func(c *provider.Creation) { c.Dialect, c.BaseURL = d, baseURLs[d] }))
			if err != nil || changes[0].Body.(*eventv1.ProviderCreated).PriceList != want {
				t.Errorf("%s: %v, %v", d, changes, err)
			}
		}
	})
	refusals := map[string]struct {
		kind   fault.Kind
		change func(*provider.Creation)
	}{
		"taken_name":             {fault.Conflict, func(c *provider.Creation) { c.NameTaken = true }},
		"no_dialect":             {fault.Invalid, func(c *provider.Creation) { c.Dialect = 0 }},
		"unknown_dialect":        {fault.Invalid, func(c *provider.Creation) { c.Dialect = 99 }},
		"credential_itself":      {fault.Invalid, func(c *provider.Creation) { c.CredentialRef = "sk-secret" }},
		"credential_in_a_header": {fault.Invalid, func(c *provider.Creation) { c.Headers = map[string]string{"authorization": "Bearer x"} }},
		"header_said_twice":      {fault.Invalid, func(c *provider.Creation) { c.Headers = map[string]string{"X-Team": "a", "x-team": "b"} }},
		"header_with_a_line":     {fault.Invalid, func(c *provider.Creation) { c.Headers = map[string]string{"X-Team": "a\r\nHost: b"} }},
		"header_name":            {fault.Invalid, func(c *provider.Creation) { c.Headers = map[string]string{"X Team": "a"} }},
		"model_said_twice":       {fault.Invalid, func(c *provider.Creation) { c.AllowedModels = []string{"a", "a"} }},
		"timeout_too_long":       {fault.Invalid, func(c *provider.Creation) { c.Timeouts.TotalMS = 3_600_001 }},
		"timeouts_that_cross":    {fault.Invalid, func(c *provider.Creation) { c.Timeouts = timeouts.Timeouts{IdleMS: 20, TotalMS: 10} }},
		"relative_file_path":     {fault.Invalid, func(c *provider.Creation) { c.CredentialRef = "file://key" }},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			if _, err := provider.Create(creation(r.change)); !fault.Is(err, r.kind) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	was := provider.Provider{ID: uuid.New(), Settings: creation(func(*provider.Creation) {}).Settings}
	was.PriceList = "openai"
	update := func(change func(*provider.Change)) ([]eventlog.Change, error) {
		c := provider.Change{Settings: was.Settings, Models: map[string][]string{"chat": {"gpt-5-mini", "gpt-5"}}}
		change(&c)
		return was.Update(c)
	}
	t.Run("headers_get_one_form", func(t *testing.T) {
		changes, err := update(func(c *provider.Change) { c.Headers = map[string]string{"x-team": "a"} })
		if err != nil || changes[0].Body.(*eventv1.ProviderUpdated).Settings.Headers["X-Team"] != "a" {
			t.Errorf("%v, %v", changes, err)
		}
	})
	t.Run("same_again", func(t *testing.T) {
		if changes, err := update(func(*provider.Change) {}); changes != nil || err != nil {
			t.Errorf("%v, %v", changes, err)
		}
	})
	refusals := map[string]struct {
		kind   fault.Kind
		change func(*provider.Change)
	}{
		"dialect":              {fault.Invalid, func(c *provider.Change) { c.Dialect = eventv1.Dialect_DIALECT_OPENAI_COMPATIBLE }},
		"taken_name":           {fault.Conflict, func(c *provider.Change) { c.Name, c.NameTaken = "other", true }},
		"a_model_that_is_used": {fault.Precondition, func(c *provider.Change) { c.AllowedModels = []string{"gpt-4"} }},
		"one_of_two_models":    {fault.Precondition, func(c *provider.Change) { c.AllowedModels = []string{"gpt-5-mini"} }},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			if _, err := update(r.change); !fault.Is(err, r.kind) {
				t.Errorf("got %v", err)
			}
		})
	}
}
