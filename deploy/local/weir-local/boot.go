package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/process"
)

const bootTimeout = 90 * time.Second // of one part, once everything is fetched and built

// boot brings everything up: what does not depend on each other at once, the rest in order.
func (s *stack) boot(ctx context.Context) error {
	group, first := errgroup.WithContext(ctx)
	s.fetch = sync.OnceValues(func() (fetch.Installation, error) { return fetch.Engines(first, s.cache, s.screen) })
	group.Go(func() error {
		return s.screen.Step("build", "control plane and agent", func() error { return s.parts.build(first, s) })
	})
	for _, up := range []func(context.Context) error{s.upPostgres, s.upKafka, s.upClickHouse, s.upOIDC, s.upMock} {
		group.Go(func() error { return up(first) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := s.up(ctx, "controlplane", s.url("CONTROL"), s.parts.controlplane); err != nil {
		return err
	}
	err := s.screen.Step("demo", "organization, route and key", func() (err error) {
		s.demo, err = s.parts.seed(ctx, s)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.up(ctx, "agent", s.url("AGENT"), s.parts.agent); err != nil {
		return err
	}
	return s.screen.Step("key", "the agent takes the demo key", func() error {
		return await(ctx, func(ctx context.Context) error { return s.parts.accepts(ctx, s) })
	})
}

// up starts one part and waits until it answers.
func (s *stack) up(ctx context.Context, name, where string, program func(*stack) (process.Program, error)) error {
	return s.screen.Step(name, where, func() error {
		p, err := program(s)
		if err != nil {
			return err
		}
		p.Name = name
		ctx, cancel := context.WithTimeout(ctx, bootTimeout)
		defer cancel()
		if err := s.supervisor.Start(ctx, p); err != nil {
			return err
		}
		return s.holds.record(name)
	})
}

// reach waits for something that is not ours to start.
func (s *stack) reach(ctx context.Context, name, variable string, ping func(context.Context) error) error {
	return s.screen.Step(name, "external, "+variable, func() error {
		if err := await(ctx, ping); err != nil {
			return fmt.Errorf("%s does not answer at %s: %w", name, variable, err)
		}
		return nil
	})
}

// await asks until the answer is good.
func await(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}
