package control

import (
	"context"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	// waitingAsks and parallelAsks bound what asks take from requests.
	waitingAsks  = 16
	parallelAsks = 4
	// longestAsk bounds what an ask may take, whatever it says.
	longestAsk = 30 * time.Second
	// tellTimeout bounds how long an answer is tried to be told.
	tellTimeout = 5 * time.Second
)

// asked is an ask and when its answer is too late.
type asked struct {
	*agentv1.Ask
	by time.Time
}

// takeAsk keeps an ask for those who answer; the stream does not wait for them.
func (c *Client) takeAsk(ask *agentv1.Ask) {
	limit := min(time.Duration(ask.GetTimeoutMs())*time.Millisecond, longestAsk)
	select {
	case c.asks <- asked{ask, time.Now().Add(limit)}:
	default:
		c.config.Log.Warn("too much is asked at once, an ask is dropped", "ask_id", ask.GetId())
	}
}

// answer answers one ask after the other until ctx ends. A stream that ends meanwhile
// changes nothing: the answer is a call of its own.
func (c *Client) answer(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case ask := <-c.asks:
			c.tell(ctx, c.work(ctx, ask))
		}
	}
}

func (c *Client) work(ctx context.Context, ask asked) (answer *agentv1.AnswerRequest) {
	ctx, cancel := context.WithDeadline(ctx, ask.by)
	defer cancel()
	err := recovered(func() error {
		answer = c.config.Answer(ctx, ask.Ask)
		return nil
	})
	if err != nil {
		c.config.Log.Error("an ask is not answered", "ask_id", ask.GetId(), "error", err)
		answer = &agentv1.AnswerRequest{Result: &agentv1.AnswerRequest_Refusal{
			Refusal: &agentv1.Refusal{Reason: "internal", Message: "The agent failed; its log says how."},
		}}
	}
	answer.AskId = ask.GetId()
	return answer
}

// tell says an answer until it arrives, or nobody waits for it.
func (c *Client) tell(ctx context.Context, answer *agentv1.AnswerRequest) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	for retry := c.newBackoff(); ; {
		_, err := c.service.Answer(ctx, connect.NewRequest(answer))
		if err == nil {
			return
		}
		switch connect.CodeOf(err) {
		case connect.CodeNotFound, connect.CodeInvalidArgument, connect.CodeUnimplemented:
			c.config.Log.Warn("an answer is not taken", "ask_id", answer.GetAskId(), "error", err)
			return
		}
		if !retry.wait(ctx) {
			c.config.Log.Warn("an answer did not arrive", "ask_id", answer.GetAskId(), "error", err)
			return
		}
	}
}
