package killed_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/deploy/local/stack"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

// writer changes one organization, as a client that does not give up: a request goes
// out again, with its id, until there is an answer.
type writer struct {
	t       *testing.T
	project string
	keys    adminv1connect.KeyServiceClient
	batches adminv1connect.BatchServiceClient
	// said is what was answered, by request id.
	said map[string]said
	// retries that were answered, and how many of them from the stored answer.
	retries, stored int
}

// said is a yes.
type said struct {
	ids []string
	// secretShown to us with it.
	secretShown bool
}

// tenant founds an organization and gives it writers.
func (s *target) tenant(name string, writers int) (organization string, all []*writer) {
	s.t.Helper()
	organization, token, err := s.Found(s.t.Context(), name)
	must(s.t, err)
	as := stack.Bearer(token)
	project, err := adminv1connect.NewProjectServiceClient(http.DefaultClient, s.URL, as).CreateProject(s.t.Context(), connect.NewRequest(&adminv1.CreateProjectRequest{Name: "app"}))
	must(s.t, err)
	for range writers {
		all = append(all, &writer{
			t: s.t, project: project.Msg.GetProject().GetId(), said: map[string]said{},
			keys: adminv1connect.NewKeyServiceClient(http.DefaultClient, s.URL, as), batches: adminv1connect.NewBatchServiceClient(http.DefaultClient, s.URL, as),
		})
	}
	return organization, all
}

// write goes on until ctx ends; a request that is out then is still waited for.
func (w *writer) write(ctx context.Context) {
	for ctx.Err() == nil && !w.t.Failed() {
		id := uuid.NewString()
		send := w.createKey
		if rand.IntN(3) == 0 {
			send = w.createThree
		}
		first := w.insist(id, send)
		w.said[id] = first
		if rand.IntN(3) > 0 {
			continue
		}
		if again := w.insist(id, send); !slices.Equal(first.ids, again.ids) || again.secretShown {
			w.t.Errorf("request %s: first %v, then %v, with its secret: %t", id, first.ids, again.ids, again.secretShown)
		}
	}
}

// insist sends a request until it is answered.
func (w *writer) insist(id string, send func(context.Context, string) (said, error)) said {
	deadline := time.Now().Add(time.Minute)
	for attempt := 0; ; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		answer, err := send(ctx, id)
		cancel()
		switch {
		case err == nil && attempt > 0:
			w.retries++
			if !answer.secretShown {
				w.stored++
			}
			return answer
		case err == nil:
			return answer
		case !mayRetry(err) || time.Now().After(deadline):
			w.t.Errorf("request %s, attempt %d: %v", id, attempt, err)
			return answer
		}
		time.Sleep(10 * time.Millisecond) // it is being started
	}
}

// mayRetry tells what a client can expect of a server that is away; the server's own
// mistakes are not among it.
func mayRetry(err error) bool {
	var answered *connect.Error
	if errors.As(err, &answered) && connect.IsWireError(err) {
		return answered.Code() == connect.CodeUnavailable || answered.Code() == connect.CodeAborted
	}
	return true
}

func (w *writer) createKey(ctx context.Context, id string) (said, error) {
	answer, err := w.keys.CreateKey(ctx, connect.NewRequest(&adminv1.CreateKeyRequest{
		Name: id, ProjectId: w.project, Mutation: &adminv1.Mutation{RequestId: id},
	}))
	if err != nil {
		return said{}, err
	}
	return said{ids: []string{answer.Msg.GetKey().GetId()}, secretShown: !answer.Msg.GetSecretAlreadyShown()}, nil
}

// createThree is one change with three events.
func (w *writer) createThree(ctx context.Context, id string) (said, error) {
	request := &adminv1.BatchRequest{Mutation: &adminv1.Mutation{RequestId: id}}
	for i := range 3 {
		request.Operations = append(request.Operations, &adminv1.Operation{Request: &adminv1.Operation_CreateKey{
			CreateKey: &adminv1.CreateKeyRequest{Name: fmt.Sprintf("%s-%d", id, i), ProjectId: w.project},
		}})
	}
	answer, err := w.batches.Batch(ctx, connect.NewRequest(request))
	if err != nil {
		return said{}, err
	}
	made := said{secretShown: true}
	for _, result := range answer.Msg.GetResults() {
		made.ids = append(made.ids, result.GetCreateKey().GetKey().GetId())
		made.secretShown = made.secretShown && !result.GetCreateKey().GetSecretAlreadyShown()
	}
	return made, nil
}
