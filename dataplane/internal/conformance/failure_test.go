package conformance_test

import (
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/llmtest"
)

var question = talk{Max: 100, Turns: []turn{user("how much water passed")}}

// fails asks what fails.
func (c *cell) fails(talk talk, faults ...llmtest.Fault) failure {
	c.Helper()
	c.mock.Reset()
	c.mock.Script(faults...)
	a := c.tell(talk)
	c.recorded()
	if a.Failure == nil {
		c.Fatalf("answered %+v", a)
	}
	return *a.Failure
}

func (c *cell) refused(f failure, status int) {
	c.Helper()
	want := c.speaker.types[status]
	if own := c.speaker.own[status]; own != "" && c.speaker.passes(&c.provider) {
		want = own
	}
	if f.Status != status || f.Type != want || f.Message == "" {
		c.Errorf("failed with %+v, want %d %q", f, status, want)
	}
}

// invalid is an answer of less than nothing.
func (c *cell) invalid() {
	asked := question
	asked.Max = -1
	c.refused(c.fails(asked), 400)
	if tokens := c.mock.Ledger().Total.Tokens; tokens != (llmtest.Tokens{}) {
		c.Errorf("served %+v", tokens)
	}
}

func (c *cell) unknownKey() {
	asked := question
	asked.Key = "weir_of_nobody"
	c.refused(c.fails(asked), 401)
}

func (c *cell) unknownRoute() {
	asked := question
	asked.Route = "nowhere"
	c.refused(c.fails(asked), 404)
	if requests := c.mock.Requests(); len(requests) != 0 {
		c.Errorf("upstream got %d requests", len(requests))
	}
}

func (c *cell) statuses() {
	for _, status := range []int{400, 429, 500, 529} {
		fault := llmtest.Fault{Kind: llmtest.Status, Status: status}
		if status == 429 {
			fault.RetryAfter = 7 * time.Second
		}
		f := c.fails(question, fault)
		c.refused(f, status)
		if status == 429 && f.RetryAfter != "7" {
			c.Errorf("to come again after %q s", f.RetryAfter)
		}
		if requests := len(c.mock.Requests()); requests != 1 {
			c.Errorf("upstream got %d requests", requests)
		}
	}
}

// retried: the SDK comes again, when it is told to.
func (c *cell) retried() {
	asked := question
	asked.Retries = 2
	c.mock.Reset()
	c.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 429, RetryAfter: time.Second})
	a := c.tell(asked)
	if a.Failure != nil {
		c.Fatalf("failed with %+v", *a.Failure)
	}
	same(c, "text", said("how much water passed"), a.Text)
	requests := c.mock.Requests()
	if len(requests) != 2 || requests[1].At.Sub(requests[0].At) < time.Second {
		c.Errorf("upstream got %d requests", len(requests))
	}
	if tokens, records := c.recorded(); len(records) != 2 || tokens != c.mock.Ledger().Total.Tokens {
		c.Errorf("recorded %v", records)
	}
}

// midway the upstream gives up: what came before was told, and the end is no end.
func (c *cell) midway() {
	if !c.stream {
		c.refused(c.fails(question, llmtest.Fault{Kind: llmtest.Cut}), 502)
		return
	}
	f := c.fails(question, llmtest.Fault{Kind: llmtest.ErrorEvent, After: 6})
	if f.Message == "" || strings.Contains(f.Message, "EOF") {
		c.Errorf("failed with %+v", f)
	}
}
