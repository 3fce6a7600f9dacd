// Package demo sets up the demo organization of the all-in-one, through the
// admin API as any automation would, and remembers its secrets in one file.
package demo

import (
	"context"
	"fmt"
)

// Names of what the demo consists of.
const (
	Route         = "demo"
	Model         = "gpt-4o-mini"
	CredentialRef = "env://WEIR_SECRET_MOCK"
	OwnerEmail    = "ada@example.com"

	organizationName = "demo"
	projectName      = "demo"
	providerName     = "mock"
	gatewayName      = "local"
	keyName          = "demo"
	region           = "local"
)

// Config says where the demo is set up.
type Config struct {
	ControlURL    string
	OperatorToken string
	// MockURL is the mock provider's base URL, ending in /v1.
	MockURL string
	// StateFile remembers secrets between runs (mode 0600).
	StateFile string
	// NeedEnrolment asks for a fresh enrolment token: the agent has no identity yet.
	NeedEnrolment bool
}

// Demo is what a newcomer needs. Its strings are secrets but for the ids.
type Demo struct {
	OrganizationID string `json:"organization_id"`
	Token          string `json:"token"`
	KeyID          string `json:"key_id"`
	Key            string `json:"key"`
	EnrolmentToken string `json:"-"`
}

// Ensure makes what is missing and keeps what is there, but for a revoked key,
// which it replaces.
func Ensure(ctx context.Context, c Config) (Demo, error) {
	d, err := load(c.StateFile)
	if err != nil {
		return Demo{}, err
	}
	s := &setup{config: c, demo: d}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"organization", s.organization},
		{"project", s.project},
		{"provider", s.provider},
		{"route", s.route},
		{"key", s.key},
		{"gateway", s.gateway},
		{"reports", s.reports},
	} {
		if err := step.run(ctx); err != nil {
			return Demo{}, fmt.Errorf("demo %s: %w", step.name, err)
		}
		if err := save(c.StateFile, s.demo); err != nil {
			return Demo{}, err
		}
	}
	return s.demo, nil
}
