package usage_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/usage"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
	"github.com/weirhq/weir/proto/gen/weir/usage/v1/usagev1connect"
)

// scripted is a relay that answers as it is told, and keeps what it accepted.
type scripted struct {
	answer func(call int, batches []*usagev1.SignedBatch) (accepted int, err error)

	mu       sync.Mutex
	calls    []time.Time
	accepted [][]byte
}

func (s *scripted) Push(_ context.Context, request *connect.Request[usagev1.PushRequest]) (*connect.Response[usagev1.PushResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, time.Now())
	batches := request.Msg.GetBatches()
	n, err := s.answer(len(s.calls), batches)
	if err != nil {
		return nil, err
	}
	for _, b := range batches[:min(n, len(batches))] {
		value, err := batch.Value(b)
		if err != nil {
			return nil, err
		}
		s.accepted = append(s.accepted, value)
	}
	return connect.NewResponse(&usagev1.PushResponse{Accepted: int32(n)}), nil
}

func (s *scripted) values() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]byte(nil), s.accepted...)
}

func serveRelay(t *testing.T, answer func(int, []*usagev1.SignedBatch) (int, error)) (*scripted, *usage.Relay) {
	t.Helper()
	s := &scripted{answer: answer}
	mux := http.NewServeMux()
	mux.Handle(usagev1connect.NewUsageServiceHandler(s))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return s, usage.NewRelay(server.URL, server.Client())
}

func failure(code connect.Code, headers ...string) error {
	err := connect.NewError(code, errors.New("as scripted"))
	for i := 0; i < len(headers); i += 2 {
		err.Meta().Set(headers[i], headers[i+1])
	}
	return err
}

func TestRelay(t *testing.T) {
	t.Run("goes_on_behind_what_was_accepted", func(t *testing.T) {
		l := openSpool(t)
		relay, sender := serveRelay(t, func(call int, batches []*usagev1.SignedBatch) (int, error) {
			switch call {
			case 2, 5:
				return 0, failure(connect.CodeUnavailable)
			case 3:
				return 1, nil
			}
			return min(len(batches), call), nil
		})
		requests(t, l, 0, 6000)
		run(t, usage.Options{Source: l, Sender: sender, MaxBackoff: time.Millisecond})()
		checkComplete(t, relay.values(), 6000)
		if len(relay.values()) != 12 || len(relay.calls) > 9 {
			t.Errorf("%d batches in %d calls", len(relay.values()), len(relay.calls))
		}
		if s := l.Stats(); s.Unsent != 0 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("comes_again_no_sooner_than_it_is_told", func(t *testing.T) {
		l := openSpool(t)
		relay, sender := serveRelay(t, func(call int, batches []*usagev1.SignedBatch) (int, error) {
			if call == 1 {
				return 0, failure(connect.CodeResourceExhausted, "Retry-After", "1")
			}
			return len(batches), nil
		})
		requests(t, l, 0, 5)
		stop := run(t, usage.Options{Source: l, Sender: sender, MaxBackoff: time.Millisecond})
		eventually(t, "it is taken", func() bool { return len(relay.values()) == 1 })
		stop()
		if waited := relay.calls[1].Sub(relay.calls[0]); waited < time.Second || waited > 10*time.Second {
			t.Errorf("came again after %s", waited)
		}
	})
	t.Run("passes_over_what_will_never_be_taken", func(t *testing.T) {
		l := openSpool(t)
		relay, sender := serveRelay(t, func(_ int, batches []*usagev1.SignedBatch) (int, error) {
			header := &usagev1.BatchHeader{}
			for i, b := range batches {
				if err := proto.Unmarshal(b.GetHeader(), header); err != nil {
					return 0, err
				}
				if header.GetFirstSeq() != 501 {
					continue
				}
				if i == 0 {
					return 0, failure(connect.CodeInvalidArgument, "Weir-Reason", "batch_refused")
				}
				return i, nil
			}
			return len(batches), nil
		})
		requests(t, l, 0, 1500)
		run(t, usage.Options{Source: l, Sender: sender, MaxBackoff: time.Millisecond})()
		if s := l.Stats(); len(relay.values()) != 2 || s.Refused != 500 || s.Unsent != 500 {
			t.Errorf("%d batches were taken; %+v", len(relay.values()), s)
		}
	})
	t.Run("a_call_is_no_larger_than_proxies_let_through", func(t *testing.T) {
		_, sender := serveRelay(t, func(_ int, batches []*usagev1.SignedBatch) (int, error) {
			size := 0
			for _, b := range batches {
				size += proto.Size(b)
			}
			if size > 1<<20 || len(batches) > 16 {
				return 0, failure(connect.CodeInvalidArgument)
			}
			return len(batches), nil
		})
		var all []usage.Message
		for i := range 40 {
			value, err := proto.Marshal(&usagev1.SignedBatch{Payload: bytes.Repeat([]byte{byte(i)}, i*20<<10)})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, usage.Message{AgentID: agentID, Value: value})
		}
		calls := 0
		for len(all) > 0 {
			taken, err := sender.Send(t.Context(), all)
			if err != nil {
				t.Fatalf("after %d calls: %v", calls, err)
			}
			all = all[taken:]
			calls++
		}
		if calls > 25 {
			t.Errorf("%d calls", calls)
		}
	})
	t.Run("says_that_there_is_none", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		defer server.Close()
		value, _ := proto.Marshal(&usagev1.SignedBatch{Header: []byte{1}})
		err := send(t, usage.NewRelay(server.URL, server.Client()), agentID, string(value))
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte("WEIR_RELAY_URL")) {
			t.Error(err)
		}
	})
}
