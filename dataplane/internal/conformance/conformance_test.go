package conformance_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var speakers = []speaker{chatSpeaker, messagesSpeaker, geminiSpeaker, responsesSpeaker}

// TestSDKs holds every SDK by every provider to every scenario, whole and streamed.
func TestSDKs(t *testing.T) { conform(t, speakers) }

func conform(t *testing.T, speakers []speaker) {
	for _, speaker := range speakers {
		for _, provider := range providers {
			t.Run(speaker.name+"_by_"+provider.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, provider)
				for _, scenario := range scenarios {
					for _, stream := range []bool{false, true} {
						if stream && scenario.once || !speaker.tries(scenario.name) {
							continue
						}
						name := scenario.name + map[bool]string{true: "_streamed"}[stream]
						t.Run(name, func(t *testing.T) { scenario.run(&cell{t, r, speaker, provider, stream}) })
					}
				}
			})
		}
	}
}

// cell is one SDK by one provider.
type cell struct {
	*testing.T
	*rig
	speaker  speaker
	provider provider
	stream   bool
}

func (c *cell) tell(talk talk) answer {
	c.Helper()
	talk.Base, talk.Stream = c.agent.URL, c.stream
	if talk.Key == "" {
		talk.Key = gatewayKey
	}
	if talk.Route == "" {
		talk.Route = routeName
	}
	return c.speaker.ask(c.T, talk)
}

// ask asks what is answered, and compares what was recorded with what was served. Nothing
// is lost unless lossy says so.
func (c *cell) ask(talk talk, lossy string) (answer, arrived) {
	c.Helper()
	c.mock.Reset()
	a := c.tell(talk)
	if a.Failure != nil {
		c.Fatalf("failed with %+v; upstream got\n%s", *a.Failure, c.bodies())
	}
	tokens, records := c.recorded()
	served := c.mock.Ledger().Total.Tokens
	if c.provider.oneOutput {
		served.Output, served.Reasoning = served.Output+served.Reasoning, 0
	}
	if diff := cmp.Diff(served, tokens); diff != "" {
		c.Errorf("served, but not recorded: %s", diff)
	}
	for _, record := range records {
		if record.Outcome != usagev1.Outcome_OUTCOME_OK || len(record.Attempts) != 1 || record.Attempts[0].UsageSource != usagev1.UsageSource_USAGE_SOURCE_REPORTED {
			c.Errorf("recorded %v", record)
		}
	}
	told := llmtest.Tokens{Input: a.Input - a.Cached, CachedInput: a.Cached, Output: a.Output}
	want := llmtest.Tokens{Input: served.Input + served.CacheWrite5m + served.CacheWrite1h, CachedInput: served.CachedInput, Output: served.Output + served.Reasoning}
	if diff := cmp.Diff(want, told); diff != "" {
		c.Errorf("the SDK tells other usage: %s", diff)
	}
	if a.Lossy != lossy {
		c.Errorf("lost %q, want %q", a.Lossy, lossy)
	}
	got := c.provider.read(c.T, c.last())
	if got.Model != c.provider.model || got.Stream != c.stream || got.Max != talk.Max {
		c.Errorf("upstream got model %q, stream %v, max %d", got.Model, got.Stream, got.Max)
	}
	return a, got
}

// last is the latest request that the upstream got.
func (c *cell) last() llmtest.Request {
	c.Helper()
	requests := c.mock.Requests()
	if len(requests) == 0 {
		c.Fatal("upstream got nothing")
	}
	return requests[len(requests)-1]
}

func (c *cell) bodies() (all string) {
	for _, request := range c.mock.Requests() {
		all += request.Path + " " + string(request.Body) + "\n"
	}
	return all
}

// same reports what differs.
func same[T any](c *cell, what string, want, got T) {
	c.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		c.Errorf("%s: %s", what, diff)
	}
}

func (c *cell) stopped(a answer, why stop) {
	c.Helper()
	if want := c.speaker.stops[why]; a.Stop != want {
		c.Errorf("stopped for %q, want %q", a.Stop, want)
	}
}
