package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/requestid"
	"github.com/weirhq/weir/controlplane/internal/wire"
)

func TestError(t *testing.T) {
	canary := errors.New("inside")
	cases := []struct {
		name   string
		err    error
		code   connect.Code
		logged bool
	}{
		{"fault", fmt.Errorf("do it: %w", fault.New(fault.Conflict, "taken")), connect.CodeAlreadyExists, false},
		{"fault_with_a_cause", fault.Unanswered(canary, "away", "try again"), connect.CodeUnavailable, true},
		{"unclassified", fmt.Errorf("do it: %w", canary), connect.CodeInternal, true},
		{"no_connection_to_postgres", fmt.Errorf("%w: %w", canary, &net.OpError{Op: "dial", Err: errors.New("refused")}), connect.CodeUnavailable, true},
		{"postgres_shuts_down", fmt.Errorf("%w: %w", canary, &pgconn.PgError{Code: "57P01"}), connect.CodeUnavailable, true},
		{"postgres_was_killed", fmt.Errorf("%w: %w", canary, io.ErrUnexpectedEOF), connect.CodeUnavailable, true},
		{"its_connection_is_closed", fmt.Errorf("%w: %w", canary, pgconn.ErrConnClosed), connect.CodeUnavailable, true},
		{"a_broken_constraint", fmt.Errorf("%w: %w", canary, &pgconn.PgError{Code: "23505"}), connect.CodeInternal, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			got := wire.Error(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), c.err)
			if got.Code() != c.code || strings.Contains(got.Error(), "inside") {
				t.Errorf("caller sees %v, want %s", got, c.code)
			}
			if strings.Contains(log.String(), "inside") != c.logged {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

func TestRequestIDIsTheReference(t *testing.T) {
	var log bytes.Buffer
	got := wire.Error(requestid.With(t.Context(), "req-7"), slog.New(slog.NewTextHandler(&log, nil)), errors.New("inside"))
	if !strings.Contains(got.Message(), "reference req-7") || !strings.Contains(log.String(), "reference=req-7") {
		t.Errorf("caller sees %v, log: %s", got, log.String())
	}
}

func TestRetryAfter(t *testing.T) {
	got := wire.Error(t.Context(), slog.New(slog.DiscardHandler), &fault.Error{Kind: fault.Exhausted, Message: "slower", RetryAfter: 1100 * time.Millisecond})
	if seconds := got.Meta().Get("Retry-After"); seconds != "2" {
		t.Errorf("Retry-After: %q", seconds)
	}
	detail, err := got.Details()[0].Value()
	if info, ok := detail.(*errdetails.RetryInfo); err != nil || !ok || info.RetryDelay.AsDuration() != 1100*time.Millisecond {
		t.Errorf("got %v, %v", detail, err)
	}
}

func TestFaultOfAFieldHasAReason(t *testing.T) {
	got := wire.Error(t.Context(), slog.New(slog.DiscardHandler), fault.Field("as_of.time", "the log begins later"))
	for _, detail := range got.Details() {
		value, err := detail.Value()
		if info, ok := value.(*errdetails.ErrorInfo); err == nil && ok && info.Reason == "invalid_request" {
			return
		}
	}
	t.Errorf("no reason in %v", got.Details())
}
