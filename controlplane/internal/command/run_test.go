package command_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

type decision = command.Decision[*adminv1.RevokeKeyResponse]

func revoke(organization uuid.UUID) command.Call {
	return command.Call{
		Origin:    command.Origin{Organization: organization, Actor: "operator", RequestID: "r1"},
		Procedure: "/weir.admin.v1.KeyService/RevokeKey", Request: &adminv1.RevokeKeyRequest{Id: organization.String()},
	}
}

func answer(name string, err error) func([]eventlog.Event) (*adminv1.RevokeKeyResponse, error) {
	return func([]eventlog.Event) (*adminv1.RevokeKeyResponse, error) {
		return &adminv1.RevokeKeyResponse{Key: &adminv1.Key{Name: name}}, err
	}
}

func TestRun(t *testing.T) {
	db := pgtest.Open(t)
	runners := processes(db, 2)
	t.Run("a_preview_that_fails_is_an_error", func(t *testing.T) {
		call := revoke(found(t, runners[0]))
		call.ValidateOnly = true
		got, err := command.Run(t.Context(), runners[0], call, func(context.Context, readmodel.View) (decision, error) {
			return decision{Answer: answer("", errRefused)}, nil
		})
		if !errors.Is(err, errRefused) {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("a_no_op_said_to_two_processes_at_once_has_one_answer", func(t *testing.T) {
		call := revoke(found(t, runners[0]))
		first := func(context.Context, readmodel.View) (decision, error) {
			return decision{Answer: answer("first", nil)}, nil
		}
		second := func(ctx context.Context, _ readmodel.View) (decision, error) {
			_, err := command.Run(ctx, runners[1], call, first)
			return decision{Answer: answer("second", nil)}, err
		}
		got, err := command.Run(t.Context(), runners[0], call, second)
		if err != nil || got.GetKey().GetName() != "first" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
