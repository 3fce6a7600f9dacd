package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/report"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

// check asks every target in every shape before anything is measured, and says of all that
// is wrong what to do.
func (b *bench) check(ctx context.Context) error {
	var faults []error
	for _, t := range b.targets {
		same, err := b.checkTarget(ctx, t)
		if err != nil {
			faults = append(faults, fmt.Errorf("target %s (http://%s%s): %w", t.name, t.address, t.path, err))
			continue
		}
		b.report.Targets = append(b.report.Targets, report.Target{Name: t.name, URL: "http://" + t.address + t.path, SameBytes: same})
	}
	return errors.Join(faults...)
}

func (b *bench) checkTarget(ctx context.Context, t *target) (same bool, err error) {
	before, err := b.served(ctx)
	if err != nil {
		return false, err
	}
	recorded, err := t.recorded(ctx)
	if err != nil {
		return false, err
	}
	same = true
	for _, s := range b.config.shapes() {
		identical, err := askOnce(t, s)
		if err != nil {
			return false, fmt.Errorf("asked with %v: %w", s, err)
		}
		same = same && identical
	}
	after, err := b.served(ctx)
	if err != nil {
		return false, err
	}
	asked := int64(len(b.config.shapes()))
	if after-before != asked {
		return false, fmt.Errorf("of %d requests %d came to the upstream: point the target at http://%s/v1, and turn its cache and retries off",
			asked, after-before, b.config.Upstream)
	}
	return same, t.awaitRecords(ctx, recorded, asked)
}

// askOnce tells whether the answer is what the upstream said, byte for byte; that it is so
// in other bytes is no error.
func askOnce(t *target, s shape) (same bool, err error) {
	c, err := load.Dial(t.address, 10*time.Second)
	if err != nil {
		return false, fmt.Errorf("nobody answers: %w: start it first, or leave it out", err)
	}
	defer c.Close()
	var body bytes.Buffer
	a, err := c.Do(t.request(s), &body)
	switch {
	case err != nil:
		return false, err
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return false, fmt.Errorf("answers %d: %s: give its key (--key %s=…), and it the upstream's (%s)", a.Status, excerpt(body.Bytes()), t.name, upstream.Key)
	case a.Status != http.StatusOK:
		return false, fmt.Errorf("answers %d: %s", a.Status, excerpt(body.Bytes()))
	}
	want, said := upstream.Whole(), said
	if s.streamed {
		want, said = upstream.Stream(), streamed
	}
	if body.String() == want {
		return true, nil
	}
	return false, said(body.Bytes())
}

func excerpt(body []byte) string {
	text := strings.Join(strings.Fields(string(body[:min(300, len(body))])), " ")
	if len(body) > 300 {
		text += "…"
	}
	return text
}

type answer struct {
	Choices []struct {
		Message, Delta struct{ Content string }
	}
	Usage struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
	}
}

func (a answer) wrong(text string, body []byte) error {
	if text != upstream.Text() || a.Usage.Prompt != upstream.InputTokens || a.Usage.Completion != upstream.OutputTokens {
		return fmt.Errorf("answers other than the upstream did, which said %q, of %d and %d tokens: %s",
			upstream.Text(), upstream.InputTokens, upstream.OutputTokens, excerpt(body))
	}
	return nil
}

func said(body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil || len(a.Choices) != 1 {
		return fmt.Errorf("does not answer as a chat completion: %s", excerpt(body))
	}
	return a.wrong(a.Choices[0].Message.Content, body)
}

func streamed(body []byte) error {
	var text strings.Builder
	var last answer
	done := false
	for line := range strings.Lines(string(body)) {
		data, found := strings.CutPrefix(strings.TrimSpace(line), "data:")
		if data = strings.TrimSpace(data); !found {
			continue
		}
		if done = data == "[DONE]"; done {
			break
		}
		var a answer
		if err := json.Unmarshal([]byte(data), &a); err != nil {
			return fmt.Errorf("streams what is no JSON: %s", excerpt([]byte(data)))
		}
		for _, c := range a.Choices {
			text.WriteString(c.Delta.Content)
		}
		if a.Usage.Prompt > 0 {
			last = a
		}
	}
	if !done {
		return fmt.Errorf("does not stream to [DONE]: %s", excerpt(body))
	}
	return last.wrong(text.String(), body)
}

// recorded is how many records of usage Weir has made; 0 where that can't be seen.
func (t *target) recorded(ctx context.Context) (records int64, err error) {
	if t.private == "" {
		return 0, nil
	}
	text, err := fetch(ctx, http.MethodGet, t.private+"/metrics", "")
	if err != nil {
		return 0, fmt.Errorf("see usage: %w", err)
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "weir_agent_usage_records_sent_total" {
			f, err := strconv.ParseFloat(value, 64)
			return int64(f), err
		}
	}
	return 0, errors.New("see usage: /metrics has no weir_agent_usage_records_sent_total")
}

// recordWithin is how long a record may take to the broker.
const recordWithin = 10 * time.Second

// awaitRecords returns once so many records came to the broker since before.
func (t *target) awaitRecords(ctx context.Context, before, more int64) error {
	if t.private == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, recordWithin)
	defer cancel()
	for {
		now, err := t.recorded(ctx)
		if err == nil && now-before >= more {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d of %d requests were recorded and shipped within %v: its spool or broker is off", now-before, more, recordWithin), err)
		}
	}
}
