package gateway

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// What can be measured, in the order in which it is.
const (
	latency    = "latency"
	throughput = "throughput"
	openLoop   = "open-loop"
	firstToken = "first-token"
	memory     = "memory"
)

var measurements = []string{latency, throughput, openLoop, firstToken, memory}

// Config of a run.
type Config struct {
	Target []string `placeholder:"NAME=URL" sep:"none" help:"Another gateway to measure, any number; it must listen on loopback, run already, and send to the --upstream. One named weir stands in for the agent that is built and started otherwise."`
	Key    []string `placeholder:"[NAME=]KEY" sep:"none" help:"Key that a target (all of them) wants as bearer."`
	Model  []string `placeholder:"[NAME=]MODEL" sep:"none" help:"Model to ask a target (all of them) for; by default gpt-4o-mini."`
	Path   []string `placeholder:"[NAME=]PATH" sep:"none" help:"Path after a target's URL; by default /v1/chat/completions."`

	Upstream    string `default:"127.0.0.1:8199" help:"Where the mock of a provider listens, for targets to be pointed at: base URL http://127.0.0.1:8199/v1, key sk-loadtest-upstream."`
	WeirPrivate string `placeholder:"URL" help:"Private address of a target named weir, to see there that usage is recorded."`

	Only        []string      `placeholder:"WHAT,…" help:"Measure only some of latency, throughput, open-loop, first-token, memory."`
	Payload     []int         `default:"1,20,200" placeholder:"KB,…" help:"Sizes of the prompt."`
	Rounds      int           `default:"7" help:"How often each target has its turn in each measurement."`
	Slice       time.Duration `default:"500ms" help:"How long a turn is."`
	Connections int           `default:"64" help:"Connections of throughput and open loop."`
	Streams     int           `default:"32" help:"Streams at a time of first-token."`
	OpenStreams int           `default:"8000" help:"Streams held open for memory."`
	HoldFor     time.Duration `default:"10s" help:"How long they are."`

	Soak       time.Duration `help:"Instead of all that: for so long an open loop at half of capacity while the upstream has faults; tells whether memory stays flat."`
	FaultEvery int64         `default:"50" help:"Each so-manieth answer of the upstream is a fault during --soak."`

	JSON    string `name:"json" type:"path" help:"Write the results to this file, too."`
	HTML    string `name:"html" type:"path" help:"Write a page with plots to this file, too."`
	Profile string `type:"path" help:"Write a CPU profile of Weir under throughput to this file (by go tool pprof)."`
}

func (c *Config) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, what := range c.Only {
		if !slices.Contains(measurements, what) {
			fault("--only %s: want some of %v", what, measurements)
		}
	}
	for _, kb := range c.Payload {
		if kb < 1 || kb > 4096 {
			fault("--payload %d: want 1 to 4096", kb)
		}
	}
	if len(c.Payload) == 0 {
		fault("--payload: want at least one size")
	}
	for name, n := range map[string]int{"rounds": c.Rounds, "connections": c.Connections, "streams": c.Streams, "open-streams": c.OpenStreams} {
		if n < 1 {
			fault("--%s %d: want at least 1", name, n)
		}
	}
	if c.Slice < 20*time.Millisecond {
		fault("--slice %v: want at least 20ms", c.Slice)
	}
	if c.Soak != 0 && c.Soak < 10*time.Second {
		fault("--soak %v: want at least 10s", c.Soak)
	}
	if c.FaultEvery < 0 {
		fault("--fault-every %d: want 0 (no faults) or more", c.FaultEvery)
	}
	return errors.Join(faults...)
}

func (c *Config) measures(what string) bool {
	return len(c.Only) == 0 || slices.Contains(c.Only, what)
}

// shape is what requests look like.
type shape struct {
	kb       int
	streamed bool
}

func (s shape) String() string {
	if s.streamed {
		return fmt.Sprintf("%d KB, stream", s.kb)
	}
	return fmt.Sprintf("%d KB", s.kb)
}

func (c *Config) shapes() (all []shape) {
	for _, kb := range c.Payload {
		all = append(all, shape{kb, false}, shape{kb, true})
	}
	return all
}

// smallest are the shapes of what is measured at one size.
func (c *Config) smallest() []shape {
	kb := slices.Min(c.Payload)
	return []shape{{kb, false}, {kb, true}}
}
