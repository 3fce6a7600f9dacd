package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weirhq/weir/controlplane/internal/fault"
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
