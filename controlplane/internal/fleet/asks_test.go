package fleet_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// askStore is both sides of the store.
type askStore interface {
	fleet.Asks
	fleet.AskDesk
}

func TestAskStores(t *testing.T) {
	t.Run("memory", func(t *testing.T) { askSuite(t, &fleettest.Asks{}) })
	t.Run("postgres", func(t *testing.T) { askSuite(t, fleet.NewAskTable(pgtest.Open(t))) })
}

func putAsk(t *testing.T, store fleet.AskDesk, organization, named uuid.UUID) fleet.Asking {
	t.Helper()
	asking := fleet.Asking{
		AskRef: fleet.AskRef{OrganizationID: organization, ID: uuid.New()}, GatewayID: uuid.New(), AgentID: named, Question: []byte("question"),
	}
	if put, err := store.Put(t.Context(), asking); err != nil || !put {
		t.Fatalf("put: %t, %v", put, err)
	}
	return asking
}

// openOf lists the open asks of an organization.
func openOf(t *testing.T, store fleet.Asks, organization uuid.UUID) (open []fleet.OpenAsk) {
	t.Helper()
	all, err := store.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(ask fleet.OpenAsk) bool { return ask.OrganizationID != organization })
}

func take(t *testing.T, store fleet.Asks, ask fleet.AskRef, agent uuid.UUID) bool {
	t.Helper()
	taken, err := store.Take(t.Context(), []fleet.AskTaking{{AskRef: ask, AgentID: agent}})
	if err != nil {
		t.Fatal(err)
	}
	return len(taken) == 1 && taken[0] == ask
}

func askSuite(t *testing.T, store askStore) {
	look := func(t *testing.T, ask fleet.AskRef) fleet.AskState {
		t.Helper()
		state, err := store.Look(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	answer := func(t *testing.T, ask fleet.AskRef, agent uuid.UUID, text string) bool {
		t.Helper()
		kept, err := store.Answer(t.Context(), fleet.AskTaking{AskRef: ask, AgentID: agent}, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	putBack := func(t *testing.T, ask fleet.AskRef, agent uuid.UUID) {
		t.Helper()
		if err := store.PutBack(t.Context(), fleet.AskTaking{AskRef: ask, AgentID: agent}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("so_many_of_an_organization_whoever_asks", func(t *testing.T) {
		organization := uuid.New()
		var put atomic.Int64
		var wait sync.WaitGroup
		for range 5 * fleet.MaxAsks {
			wait.Go(func() {
				asking := fleet.Asking{AskRef: fleet.AskRef{OrganizationID: organization, ID: uuid.New()}, Question: []byte{}}
				if ok, err := store.Put(context.Background(), asking); err != nil {
					t.Error(err)
				} else if ok {
					put.Add(1)
				}
			})
		}
		wait.Wait()
		open := openOf(t, store, organization)
		if put.Load() != fleet.MaxAsks || len(open) != fleet.MaxAsks {
			t.Errorf("%d were put, %d are open", put.Load(), len(open))
		}
		putAsk(t, store, uuid.New(), uuid.Nil)
		if err := store.Drop(t.Context(), open[0].AskRef); err != nil {
			t.Fatal(err)
		}
		putAsk(t, store, organization, uuid.Nil)
	})
	t.Run("one_of_many_takes_it", func(t *testing.T) {
		organization := uuid.New()
		ask := putAsk(t, store, organization, uuid.Nil)
		if got := openOf(t, store, organization); len(got) != 1 || got[0].GatewayID != ask.GatewayID || string(got[0].Question) != "question" {
			t.Fatalf("open: %+v", got)
		}
		var takers atomic.Int64
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				if take(t, store, ask.AskRef, uuid.New()) {
					takers.Add(1)
				}
			})
		}
		wait.Wait()
		if takers.Load() != 1 || len(openOf(t, store, organization)) != 0 {
			t.Errorf("%d took it", takers.Load())
		}
	})
	t.Run("the_first_answer_of_who_took_it_counts", func(t *testing.T) {
		organization, agent, late := uuid.New(), uuid.New(), uuid.New()
		ask := putAsk(t, store, organization, uuid.Nil).AskRef
		if answer(t, ask, agent, "too soon") {
			t.Error("who did not take it was heard")
		}
		take(t, store, ask, late)
		putBack(t, ask, late)
		take(t, store, ask, agent)
		if elsewhere := (fleet.AskRef{OrganizationID: uuid.New(), ID: ask.ID}); answer(t, elsewhere, agent, "of another tenant") {
			t.Error("another organization's agent was heard")
		}
		if answer(t, ask, uuid.New(), "a stranger's") || look(t, ask).Answer != nil {
			t.Error("a stranger was heard")
		}
		if !answer(t, ask, late, "late") || !answer(t, ask, agent, "second") || !answer(t, ask, late, "again") {
			t.Error("who took it was not heard")
		}
		if got := look(t, ask); string(got.Answer) != "late" || got.AnsweredBy != late {
			t.Errorf("%s of %s", got.Answer, got.AnsweredBy)
		}
		if putBack(t, ask, agent); look(t, ask).TakenBy != agent {
			t.Error("an answered ask was put back")
		}
	})
	t.Run("put_back_it_goes_to_another_once", func(t *testing.T) {
		organization, first, second := uuid.New(), uuid.New(), uuid.New()
		ask := putAsk(t, store, organization, uuid.Nil).AskRef
		take(t, store, ask, first)
		if putBack(t, ask, second); len(openOf(t, store, organization)) != 0 {
			t.Error("who does not have it put it back")
		}
		putBack(t, ask, first)
		if open := openOf(t, store, organization); len(open) != 1 || !slices.Equal(open[0].Tried, []uuid.UUID{first}) {
			t.Fatalf("open: %+v", open)
		}
		take(t, store, ask, second)
		if got := look(t, ask); got.TakenBy != second || got.TakenFor < 0 || got.TakenFor > time.Minute {
			t.Errorf("%+v", got)
		}
		putBack(t, ask, second)
		if got := look(t, ask); len(openOf(t, store, organization)) != 0 || !slices.Equal(got.Tried, []uuid.UUID{first, second}) || got.TakenBy != uuid.Nil {
			t.Errorf("after two: %+v", got)
		}
	})
	t.Run("who_was_named_is_asked_once", func(t *testing.T) {
		organization, agent := uuid.New(), uuid.New()
		ask := putAsk(t, store, organization, agent)
		if open := openOf(t, store, organization); len(open) != 1 || open[0].AgentID != agent {
			t.Fatalf("open: %+v", open)
		}
		take(t, store, ask.AskRef, agent)
		if putBack(t, ask.AskRef, agent); len(openOf(t, store, organization)) != 0 {
			t.Error("it is open again")
		}
	})
	t.Run("notes_add_up", func(t *testing.T) {
		ask := putAsk(t, store, uuid.New(), uuid.Nil).AskRef
		for _, unfit := range []map[string]string{{"a": "old"}, {"b": "older", "a": "old"}} {
			if err := store.Note(t.Context(), ask, unfit); err != nil {
				t.Fatal(err)
			}
		}
		if got := look(t, ask).Unfit; len(got) != 2 || got["a"] != "old" || got["b"] != "older" {
			t.Errorf("%v", got)
		}
	})
	t.Run("what_is_over_is_not_found", func(t *testing.T) {
		ask := putAsk(t, store, uuid.New(), uuid.Nil).AskRef
		if err := store.Drop(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Look(t.Context(), ask); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if answer(t, ask, uuid.New(), "late") {
			t.Error("an answer to it was kept")
		}
		if err := store.Forget(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestAskTable_old_asks are neither open nor counted nor answered, and swept.
func TestAskTable_old_asks(t *testing.T) {
	db := pgtest.Open(t)
	table, organization, agent := fleet.NewAskTable(db), uuid.New(), uuid.New()
	var asks []fleet.AskRef
	for range fleet.MaxAsks {
		asks = append(asks, putAsk(t, table, organization, uuid.Nil).AskRef)
	}
	take(t, table, asks[0], agent)
	err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE agent_ask SET expires_at = now() - interval '1 second'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if open := openOf(t, table, organization); len(open) != 0 {
		t.Errorf("%d are open", len(open))
	}
	if kept, err := table.Answer(t.Context(), fleet.AskTaking{AskRef: asks[0], AgentID: agent}, nil); kept || err != nil {
		t.Errorf("answered: %t, %v", kept, err)
	}
	fresh := putAsk(t, table, organization, uuid.Nil)
	if err := table.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Look(t.Context(), asks[0]); !fault.Is(err, fault.NotFound) {
		t.Errorf("an old ask: %v", err)
	}
	if _, err := table.Look(t.Context(), fresh.AskRef); err != nil {
		t.Error(err)
	}
}
