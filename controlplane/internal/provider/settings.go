package provider

import (
	"fmt"
	"regexp"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/share"
	"github.com/weirhq/weir/controlplane/internal/slug"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	"github.com/weirhq/weir/proto/contract/header"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	maxModels = 1000
	maxModel  = 200
)

var credentialForm = regexp.MustCompile(`^(env://[A-Za-z_][A-Za-z0-9_]*|file:///[^\x00]+)$`)

// complete checks the settings and returns them in one form.
func (s Settings) complete() (Settings, error) {
	if err := slug.Check("name", s.Name); err != nil {
		return s, err
	}
	s, err := s.completeUpstream()
	if err != nil {
		return s, err
	}
	if s.CredentialRef != "" && !credentialForm.MatchString(s.CredentialRef) {
		return s, fault.Field("credential_ref", "want env://NAME or file:///path")
	}
	if s.CredentialRef != "" && len(s.Sealed) > 0 {
		return s, fault.Field("credential_ref", "a provider has a credential_ref or sealed_credentials, not both; "+
			"clear the other in the same update, naming both in update_mask")
	}
	if s.Headers, err = completeHeaders(s.Headers); err != nil {
		return s, err
	}
	if err := checkModels(s.AllowedModels); err != nil {
		return s, err
	}
	if err := s.Queue.Check(); err != nil {
		return s, err
	}
	return s, s.Timeouts.Check()
}

// completeUpstream completes what depends on the dialect.
func (s Settings) completeUpstream() (Settings, error) {
	spoken, known := dialects[s.Dialect]
	if !known {
		return s, fault.Field("dialect", "want openai, openai-compatible, anthropic, gemini, azure-openai, bedrock or vertex")
	}
	base, err := parseBaseURL(s.BaseURL)
	if err != nil {
		return s, err
	}
	if err := spoken.check(base); err != nil {
		return s, err
	}
	s.BaseURL = base
	if s.PriceList == "" {
		s.PriceList = spoken.priceList
	}
	return s, s.checkAPIVersion()
}

func completeHeaders(headers map[string]string) (map[string]string, error) {
	if len(headers) > header.MaxCount {
		return nil, fault.Field("headers", "at most %d, got %d", header.MaxCount, len(headers))
	}
	complete := map[string]string{}
	for name, value := range headers {
		canonical := header.Canonical(name)
		field := fmt.Sprintf("headers[%q]", name)
		if refusal := header.Refusal(name, value); refusal != "" {
			return nil, fault.Field(field, "%s", refusal)
		}
		if _, twice := complete[canonical]; twice {
			return nil, fault.Field(field, "said twice with other capitals")
		}
		complete[canonical] = value
	}
	return complete, nil
}

func checkModels(models []string) error {
	if len(models) > maxModels {
		return fault.Field("allowed_models", "at most %d, got %d", maxModels, len(models))
	}
	seen := map[string]bool{}
	for i, model := range models {
		if model == "" || len(model) > maxModel || seen[model] {
			return fault.Field(fmt.Sprintf("allowed_models[%d]", i), "want 1 to %d bytes, each model once", maxModel)
		}
		seen[model] = true
	}
	return nil
}

func (s Settings) toEvent() *eventv1.ProviderSettings {
	return &eventv1.ProviderSettings{
		Name: s.Name, Dialect: s.Dialect, BaseUrl: s.BaseURL, CredentialRef: s.CredentialRef, Region: s.Region,
		PriceList: s.PriceList, Headers: s.Headers, Timeouts: s.Timeouts.ToEvent(), AllowedModels: s.AllowedModels,
		SealedCredentials: toEventSealed(s.Sealed), ApiVersion: s.APIVersion, Queue: s.Queue.ToEvent(),
	}
}

// settings is what ProviderCreated and ProviderSettings have in common.
type settings interface {
	GetName() string
	GetDialect() eventv1.Dialect
	GetBaseUrl() string
	GetCredentialRef() string
	GetRegion() string
	GetPriceList() string
	GetHeaders() map[string]string
	GetTimeouts() *eventv1.Timeouts
	GetAllowedModels() []string
	GetApiVersion() string
	GetQueue() *eventv1.Queue
}

func fromEvent(s settings) Settings {
	return Settings{
		Name: s.GetName(), Dialect: s.GetDialect(), BaseURL: s.GetBaseUrl(), CredentialRef: s.GetCredentialRef(), Region: s.GetRegion(),
		PriceList: s.GetPriceList(), Headers: s.GetHeaders(), Timeouts: timeouts.FromEvent(s.GetTimeouts()), AllowedModels: s.GetAllowedModels(),
		APIVersion: s.GetApiVersion(), Queue: share.FromEvent(s.GetQueue()),
	}
}

// fromSettings adds what ProviderCreated can't have.
func fromSettings(e *eventv1.ProviderSettings) (Settings, error) {
	s := fromEvent(e)
	var err error
	s.Sealed, err = fromEventSealed(e.GetSealedCredentials())
	return s, err
}
