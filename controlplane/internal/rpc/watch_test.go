package rpc_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// watch follows the tenant's log after a version: the events as they come, and how it
// ended.
func (n *tenant) watch(ctx context.Context, after int64) (<-chan *adminv1.Event, <-chan error) {
	return n.in.watchAs(ctx, n.token, after)
}

func (in *installation) watchAs(ctx context.Context, token string, after int64) (<-chan *adminv1.Event, <-chan error) {
	events, ended := make(chan *adminv1.Event, 1000), make(chan error, 1)
	request := connect.NewRequest(&adminv1.WatchEventsRequest{AfterVersion: after})
	request.Header().Set("Authorization", "Bearer "+token)
	go func() {
		defer close(events)
		stream, err := in.as("").history.WatchEvents(ctx, request)
		if err != nil {
			ended <- err
			return
		}
		for stream.Receive() {
			if e := stream.Msg().GetEvent(); e != nil {
				events <- e
			}
		}
		ended <- stream.Err()
	}()
	return events, ended
}

// Concurrent writers leave no gap, and nobody sees an event twice: those who were
// there from the start, those who come meanwhile, and those who come back.
func TestWatchEvents(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	in.follow()
	another := in.replica() // of which no wake-up comes
	before := n.head()
	const writers, each = 4, 15
	last := before + writers*each
	var wait sync.WaitGroup
	follow := func(from int64) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		events, _ := n.watch(ctx, from)
		for version := from + 1; version <= last; version++ {
			e, ok := <-events
			if !ok || e.Version != version {
				t.Errorf("after %d: got version %d, want %d", from, e.GetVersion(), version)
				return
			}
			if version == (from+last)/2 && from == 0 {
				wait.Go(func() { // comes back
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					again, _ := n.watch(ctx, version)
					same(t, (<-again).GetVersion(), version+1)
				})
			}
		}
	}
	wait.Go(func() { follow(0) })
	for w := range writers {
		wait.Go(func() {
			through := n.client
			if w%2 == 1 {
				through = another.as(n.token)
			}
			for i := range each {
				call(t, through.projects.CreateProject, &adminv1.CreateProjectRequest{Name: fmt.Sprintf("p-%d-%d", w, i)})
			}
		})
	}
	wait.Go(func() { follow(before) })
	wait.Wait()
}

func TestWatchEnds(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	stop := in.follow()
	t.Run("at_a_version_that_there_is_not", func(t *testing.T) {
		_, ended := n.watch(t.Context(), n.head()+1)
		same(t, connect.CodeOf(<-ended), connect.CodeInvalidArgument)
	})
	t.Run("before_it_begins_for_who_sends_plain_json", func(t *testing.T) {
		got := in.send(n, http.MethodPost, "HistoryService/WatchEvents", strings.NewReader("{}"))
		if got.status != http.StatusUnsupportedMediaType || !strings.Contains(got.Message, "it is a stream") {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("without_authority", func(t *testing.T) {
		_, ended := in.watchAs(t.Context(), "weirsa_wrong", 0)
		same(t, connect.CodeOf(<-ended), connect.CodeUnauthenticated)
	})
	admin := func(name string) (*adminv1.ServiceAccount, *adminv1.CreateServiceAccountTokenResponse) {
		account := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: name, Role: adminv1.Role_ROLE_ADMIN}).ServiceAccount
		return account, call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: account.Id, Name: "t"})
	}
	within := func(t *testing.T, ended <-chan error, code connect.Code) {
		t.Helper()
		select {
		case err := <-ended:
			same(t, connect.CodeOf(err), code)
		case <-time.After(10 * time.Second):
			t.Errorf("the stream goes on, want %s", code)
		}
	}
	t.Run("when_the_token_is_revoked", func(t *testing.T) {
		_, made := admin("revoked")
		events, ended := in.watchAs(t.Context(), made.Secret, 0)
		<-events
		call(t, n.accounts.RevokeServiceAccountToken, &adminv1.RevokeServiceAccountTokenRequest{Id: made.Token.Id})
		within(t, ended, connect.CodeUnauthenticated)
	})
	t.Run("when_the_role_is_less", func(t *testing.T) {
		account, made := admin("demoted")
		events, ended := in.watchAs(t.Context(), made.Secret, 0)
		<-events
		call(t, n.accounts.UpdateServiceAccount, &adminv1.UpdateServiceAccountRequest{
			ServiceAccount: &adminv1.ServiceAccount{Id: account.Id, Role: adminv1.Role_ROLE_VIEWER},
		})
		within(t, ended, connect.CodePermissionDenied)
	})
	t.Run("when_the_server_does", func(t *testing.T) {
		events, ended := n.watch(t.Context(), 0)
		<-events
		stop()
		within(t, ended, connect.CodeUnavailable)
		_, ended = n.watch(t.Context(), 0)
		within(t, ended, connect.CodeUnavailable)
	})
}

// A stream that nobody reads holds up neither the others nor the end of the process.
func TestWatchIsNotHeldUp(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	stop := in.follow()
	request := connect.NewRequest(&adminv1.WatchEventsRequest{})
	request.Header().Set("Authorization", "Bearer "+n.token)
	unread, err := n.history.WatchEvents(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unread.Close() }()
	if !unread.Receive() {
		t.Fatal(unread.Err())
	}
	before := n.head()
	events, _ := n.watch(t.Context(), before)
	call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "new"})
	same(t, (<-events).GetVersion(), before+1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stop()
	}()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the process waits for a stream that nobody reads")
	}
}
