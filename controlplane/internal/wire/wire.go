// Package wire turns errors into what a caller sees, over Connect: faults become
// codes with their reasons, everything else an internal error with a reference,
// under which the error itself is logged.
package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/requestid"
)

// errorDomain is the domain of every ErrorInfo.
const errorDomain = "weir"

var codes = map[fault.Kind]connect.Code{
	fault.Invalid:         connect.CodeInvalidArgument,
	fault.Unauthenticated: connect.CodeUnauthenticated,
	fault.Denied:          connect.CodePermissionDenied,
	fault.NotFound:        connect.CodeNotFound,
	fault.Conflict:        connect.CodeAlreadyExists,
	fault.Precondition:    connect.CodeFailedPrecondition,
	fault.Aborted:         connect.CodeAborted,
	fault.Exhausted:       connect.CodeResourceExhausted,
	fault.Unavailable:     connect.CodeUnavailable,
	fault.Unimplemented:   connect.CodeUnimplemented,
}

// Error is the one place where errors become what a caller sees.
func Error(ctx context.Context, logger *slog.Logger, err error) *connect.Error {
	var wire *connect.Error
	var meant *fault.Error
	switch {
	case errors.As(err, &meant):
		if meant.Cause != nil {
			logger.WarnContext(ctx, "fault with a cause of ours", "reason", meant.Reason, "error", meant.Cause)
		}
		return fromFault(meant)
	case errors.As(err, &wire):
		return wire
	case errors.Is(err, context.DeadlineExceeded):
		return connect.NewError(connect.CodeDeadlineExceeded, deadline(ctx))
	case errors.Is(err, context.Canceled):
		return connect.NewError(connect.CodeCanceled, errors.New("the caller went away"))
	}
	reference := requestid.From(ctx)
	if reference == "" {
		reference = requestid.New()
	}
	logger.ErrorContext(ctx, "internal error", "reference", reference, "error", err)
	if storeIsAway(err) {
		return fromFault(fault.Because(fault.Unavailable, "store_unavailable", "the configuration store does not answer; try again (reference %s)", reference))
	}
	return connect.NewError(connect.CodeInternal, fmt.Errorf("internal error (reference %s)", reference))
}

// tooLong is the cause of a context that ended by a deadline of ours.
type tooLong struct{ limit time.Duration }

// TooLong is the cause for contexts of calls that the server itself bounds.
func TooLong(limit time.Duration) error { return tooLong{limit} }

func (t tooLong) Error() string {
	return fmt.Sprintf("the server gave up after %s: what it needs does not answer, or too slowly; "+
		"a change may have happened, try again with the same mutation.request_id", t.limit)
}

// deadline says whose deadline it was.
func deadline(ctx context.Context) error {
	if ours := (tooLong{}); errors.As(context.Cause(ctx), &ours) {
		return ours
	}
	return errors.New("the request took longer than its deadline")
}

// reasonOf gives a fault about fields the reason that broken rules of the protos have: callers need not tell them apart.
func reasonOf(f *fault.Error) string {
	if f.Reason == "" && f.Kind == fault.Invalid {
		return "invalid_request"
	}
	return f.Reason
}

func fromFault(f *fault.Error) *connect.Error {
	code, known := codes[f.Kind]
	if !known {
		code = connect.CodeInternal
	}
	wire := connect.NewError(code, errors.New(f.Message))
	if len(f.Violations) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range f.Violations {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.Field, Description: v.Description})
		}
		addDetail(wire, bad)
	}
	if reason := reasonOf(f); reason != "" {
		addDetail(wire, &errdetails.ErrorInfo{Reason: reason, Domain: errorDomain, Metadata: f.Details})
	}
	if f.RetryAfter > 0 {
		addDetail(wire, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
		wire.Meta().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	return wire
}

func addDetail(wire *connect.Error, message proto.Message) {
	if detail, err := connect.NewErrorDetail(message); err == nil {
		wire.AddDetail(detail)
	}
}

// storeIsAway tells an outage of Postgres from a mistake of ours: no connection, or
// one that broke off (a killed server leaves an EOF, and its connections closed),
// class 08 (connection), 57P (shutdown), 53300 (too many connections).
func storeIsAway(err error) bool {
	var connecting *pgconn.ConnectError
	var network *net.OpError
	var answered *pgconn.PgError
	switch {
	case errors.As(err, &connecting), errors.As(err, &network),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, pgconn.ErrConnClosed):
		return true
	case errors.As(err, &answered):
		return strings.HasPrefix(answered.Code, "08") || strings.HasPrefix(answered.Code, "57P") || answered.Code == "53300"
	}
	return false
}
