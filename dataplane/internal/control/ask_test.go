package control_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

func (l *liar) ask(id string, timeout time.Duration) {
	l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_Ask{Ask: &agentv1.Ask{
		Id: id, TimeoutMs: timeout.Milliseconds(), Question: &agentv1.Ask_DryRun{DryRun: &agentv1.DryRun{Model: "m"}},
	}}}
}

func (l *liar) answer(t *testing.T) *agentv1.AnswerRequest {
	t.Helper()
	select {
	case answer := <-l.answers:
		return answer
	case <-time.After(15 * time.Second):
		t.Fatal("no answer came in 15 s")
	}
	return nil
}

func TestAsks(t *testing.T) {
	t.Run("are_answered_by_their_id", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		run(t, p.config(l.url, t.TempDir()))
		l.ask("one", time.Second)
		if got := l.answer(t); got.GetAskId() != "one" || got.GetDryRun() == nil {
			t.Error(got)
		}
	})
	t.Run("have_the_time_they_say", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		p.answer = func(ctx context.Context, _ *agentv1.Ask) *agentv1.AnswerRequest {
			<-ctx.Done()
			return &agentv1.AnswerRequest{Result: &agentv1.AnswerRequest_Refusal{Refusal: &agentv1.Refusal{Reason: ctx.Err().Error()}}}
		}
		run(t, p.config(l.url, t.TempDir()))
		began := time.Now()
		l.ask("slow", 100*time.Millisecond)
		if got := l.answer(t); got.GetRefusal().GetReason() != context.DeadlineExceeded.Error() || time.Since(began) < 100*time.Millisecond {
			t.Errorf("%v after %v", got, time.Since(began))
		}
	})
	t.Run("that_fail_are_refused_and_the_agent_lives", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		p.answer = func(context.Context, *agentv1.Ask) *agentv1.AnswerRequest { panic("a bug") }
		run(t, p.config(l.url, t.TempDir()))
		for range 10 {
			l.ask("bad", time.Second)
			if got := l.answer(t); got.GetRefusal().GetReason() != "internal" || got.GetAskId() != "bad" {
				t.Error(got)
			}
		}
	})
	t.Run("are_answered_again_until_it_arrives", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		l.deaf = []error{connect.NewError(connect.CodeUnavailable, errors.New("away")), connect.NewError(connect.CodeUnknown, errors.New("a proxy's page"))}
		run(t, p.config(l.url, t.TempDir()))
		l.ask("one", time.Second)
		if got := l.answer(t); got.GetAskId() != "one" {
			t.Error(got)
		}
	})
	t.Run("that_nobody_waits_for_are_not_answered_again", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		l.deaf = []error{connect.NewError(connect.CodeNotFound, errors.New("over"))}
		run(t, p.config(l.url, t.TempDir()))
		l.ask("late", time.Second)
		eventually(t, "the answer is turned away", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.deaf) == 0 })
		l.ask("next", time.Second)
		if got := l.answer(t); got.GetAskId() != "next" {
			t.Error(got)
		}
	})
	t.Run("outlive_their_stream", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		begun, goOn := make(chan struct{}), make(chan struct{})
		p.answer = func(context.Context, *agentv1.Ask) *agentv1.AnswerRequest {
			close(begun)
			<-goOn
			return &agentv1.AnswerRequest{Result: &agentv1.AnswerRequest_DryRun{}}
		}
		run(t, p.config(l.url, t.TempDir()))
		l.ask("one", 10*time.Second)
		<-begun
		l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{GoAway: &agentv1.GoAway{}}}
		eventually(t, "another stream", func() bool { return l.streams() > 1 })
		close(goOn)
		if got := l.answer(t); got.GetAskId() != "one" {
			t.Error(got)
		}
	})
}

// TestAsksHoldUpNothing: a flood of asks that hang leaves the stream alone, and no more
// than four run.
func TestAsksHoldUpNothing(t *testing.T) {
	l, p := newLiar(t), &plane{}
	var running, most atomic.Int64
	p.answer = func(ctx context.Context, _ *agentv1.Ask) *agentv1.AnswerRequest {
		now := running.Add(1)
		for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
		}
		<-ctx.Done()
		running.Add(-1)
		return &agentv1.AnswerRequest{}
	}
	_, stop := run(t, p.config(l.url, t.TempDir()))
	l.snapshot(l.sign(newDraft(1)))
	for i := range 90 {
		l.ask(fmt.Sprint(i), time.Hour)
	}
	l.snapshot(l.sign(newDraft(2)))
	eventually(t, "the policy behind the asks is served", func() bool { version, _ := p.now(); return version == 2 })
	eventually(t, "four asks run", func() bool { return running.Load() == 4 })
	stop() // does not wait for them either
	if most.Load() != 4 {
		t.Errorf("%d ran at once", most.Load())
	}
}
