// Package demo sets up the demo organization of the all-in-one, through the
// admin API as any automation would, and remembers its secrets in one file.
package demo

import (
	"context"
	"fmt"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// Names of what the demo consists of.
const (
	CredentialRef = "env://WEIR_SECRET_MOCK"
	OwnerEmail    = "ada@example.com"

	organizationName = "demo"
	projectName      = "demo"
	gatewayName      = "local"
	keyName          = "demo"
	region           = "local"
)

// upstream is a provider of the demo, below the mock's address, and the route to it.
type upstream struct {
	route, provider string
	dialect         adminv1.Dialect
	path, model     string
	priceList       string
}

// upstreams are one for every dialect that the mock serves. A route's name says nothing of a
// dialect: applications ask each in their own.
var upstreams = []upstream{
	{"demo", "mock", adminv1.Dialect_DIALECT_OPENAI, "/v1", "gpt-4o-mini", "openai"},
	{"claude", "anthropic", adminv1.Dialect_DIALECT_ANTHROPIC, "", "claude-haiku-4-5", "anthropic"},
	{"gemini", "google", adminv1.Dialect_DIALECT_GEMINI, "/v1beta", "gemini-2.5-flash", "gemini"},
	{"claude-on-aws", "bedrock", adminv1.Dialect_DIALECT_BEDROCK, "", "anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock"},
}

// Config says where the demo is set up.
type Config struct {
	ControlURL    string
	OperatorToken string
	// MockURL is where the mock of all providers is, without a path.
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
		{"providers", s.providers},
		{"routes", s.routes},
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
