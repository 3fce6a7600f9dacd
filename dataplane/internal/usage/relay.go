package usage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
	"github.com/weirhq/weir/proto/gen/weir/usage/v1/usagev1connect"
)

const (
	// maxPushBytes of batches go in one call: what proxies let through by default (1 MiB), and
	// Kafka takes at once. The contract allows four times as much.
	maxPushBytes = 960 << 10
	pushOverhead = 16 // of each batch in the call
	// pushWithin is longer than a relay takes for its part.
	pushWithin = 30 * time.Second

	// What a relay says of the first batch that it will never take; see UsageService.Push.
	reasonHeader  = "Weir-Reason"
	reasonRefused = "batch_refused"
)

// Relay pushes batches to the relay of a region.
type Relay struct {
	url     string
	service usagev1connect.UsageServiceClient
}

var _ Sender = (*Relay)(nil)

// NewRelay makes a sender; client signs calls as the agent, for this URL.
func NewRelay(url string, client *http.Client) *Relay {
	return &Relay{url: url, service: usagev1connect.NewUsageServiceClient(client, url)}
}

// Send returns when the relay's broker has what is taken.
func (r *Relay) Send(ctx context.Context, messages []Message) (taken int, err error) {
	request := &usagev1.PushRequest{}
	for _, m := range messages[:min(mostBatches, run(messages, maxPushBytes, pushOverhead, false))] {
		signed := &usagev1.SignedBatch{}
		if err := proto.Unmarshal(m.Value, signed); err != nil {
			if len(request.Batches) > 0 {
				break
			}
			return 0, &RefusedError{fmt.Errorf("no batch: %w", err)}
		}
		request.Batches = append(request.Batches, signed)
	}
	ctx, cancel := context.WithTimeout(ctx, pushWithin)
	defer cancel()
	answer, err := r.service.Push(ctx, connect.NewRequest(request))
	if err != nil {
		return 0, r.explain(err)
	}
	if n := int(answer.Msg.GetAccepted()); n > 0 && n <= len(request.Batches) {
		return n, nil
	}
	return 0, fmt.Errorf("push usage to %s: it says that it accepted %d of %d batches", r.url, answer.Msg.GetAccepted(), len(request.Batches))
}

// explain says what an answer means for the batches, and when to come again.
func (r *Relay) explain(err error) error {
	var said *connect.Error
	if !errors.As(err, &said) {
		return fmt.Errorf("push usage to %s: %w", r.url, err)
	}
	switch said.Code() {
	case connect.CodeUnimplemented:
		return fmt.Errorf("push usage to %s: no relay is served there; set WEIR_RELAY_URL to one, or WEIR_USAGE_VIA=kafka and WEIR_KAFKA_BROKERS: %w", r.url, err)
	case connect.CodeInvalidArgument:
		if said.Meta().Get(reasonHeader) == reasonRefused {
			return &RefusedError{err}
		}
	}
	err = fmt.Errorf("push usage to %s: %w", r.url, err)
	if seconds, parsed := strconv.ParseUint(said.Meta().Get("Retry-After"), 10, 32); parsed == nil {
		return &LaterError{After: time.Duration(seconds) * time.Second, Err: err}
	}
	return err
}
