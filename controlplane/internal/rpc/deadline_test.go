package rpc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/rpc"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// lock makes everything wait that touches a table, until the test ends.
func (in *installation) lock(t *testing.T, table string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), in.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
}

func TestCallsOfAStuckStoreEnd(t *testing.T) {
	const limit = 2 * time.Second
	in := installWith(t, rpc.AdminConfig{CallTimeout: limit})
	n := in.tenant("alpha")
	gaveUp := func(t *testing.T, err *connect.Error, began time.Time) {
		t.Helper()
		if took := time.Since(began); took < limit || !strings.Contains(err.Message(), "the server gave up after 2s") {
			t.Errorf("after %s: %s", took, err.Message())
		}
	}
	t.Run("reading", func(t *testing.T) {
		in.lock(t, "project")
		began := time.Now()
		gaveUp(t, refused(t, connect.CodeDeadlineExceeded, n.projects.ListProjects, &adminv1.ListProjectsRequest{}), began)
	})
	t.Run("changing", func(t *testing.T) {
		in.lock(t, "project")
		began := time.Now()
		gaveUp(t, refused(t, connect.CodeDeadlineExceeded, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "other"}), began)
	})
	t.Run("finding_out_who_calls", func(t *testing.T) {
		in.lock(t, "service_account_token")
		began := time.Now()
		gaveUp(t, refused(t, connect.CodeDeadlineExceeded, n.projects.ListProjects, &adminv1.ListProjectsRequest{}), began)
	})
	t.Run("the_callers_own_deadline", func(t *testing.T) {
		in.lock(t, "project")
		ctx, cancel := context.WithTimeout(t.Context(), limit/4)
		defer cancel()
		_, err := n.projects.ListProjects(ctx, connect.NewRequest(&adminv1.ListProjectsRequest{}))
		if connect.CodeOf(err) != connect.CodeDeadlineExceeded || strings.Contains(err.Error(), "gave up") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("goes_on_afterwards", func(t *testing.T) {
		call(t, n.projects.ListProjects, &adminv1.ListProjectsRequest{})
	})
}
