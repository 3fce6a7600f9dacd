package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/deploy/local/build"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/deploy/local/screen"
	"github.com/weirhq/weir/deploy/local/supervise"
)

// stack is one run of everything. Its later fields are filled as parts come up.
type stack struct {
	settings
	holds      *holding
	self       string // this binary
	screen     *screen.Screen
	supervisor *supervise.Supervisor
	parts      partTable
	fetch      func() (fetch.Installation, error) // once, while what needs no engine starts already

	postgresURL         string
	brokers             string
	clickhouseURL       string
	clickhouseReportURL string // of the user that tenant SQL runs as
	issuer              string
	mockURL             string
	demo                demonstration
}

// partTable says how to start what is not an engine. Each function is called once, when the parts before it answer.
type partTable struct {
	build        func(ctx context.Context, s *stack) error
	oidc         func(s *stack) (process.Program, error)
	mock         func(s *stack) (process.Program, error)
	controlplane func(s *stack) (process.Program, error)
	// seed makes the demo organization through the control plane's API and returns what a newcomer needs.
	seed  func(ctx context.Context, s *stack) (demonstration, error)
	agent func(s *stack) (process.Program, error)
	// accepts tells whether the agent takes the demo key: it serves its policy of last time before it has today's.
	accepts func(ctx context.Context, s *stack) error
}

// demonstration is what the seeding hands to the screen and the env file.
type demonstration struct {
	email, password string // of the console's demo login
	token           string // of the service account
	key, keyID      string
	enrolment       string // "" when the agent is enrolled already
}

func newStack(s settings, holds *holding, parts partTable, out *screen.Screen) (*stack, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own binary: %w", err)
	}
	st := &stack{settings: s, holds: holds, self: self, screen: out, parts: parts}
	st.supervisor, err = supervise.New(filepath.Join(s.dir, "log"), func(part, what string) { out.Note("%s: %s", part, what) })
	return st, err
}

// path is below the folder of this run.
func (s *stack) path(elements ...string) string {
	return filepath.Join(append([]string{s.dir}, elements...)...)
}

func (s *stack) binary(name string) string { return filepath.Join(build.Folder(s.root), name) }
