// Package logtest is the suite that every eventlog.Log passes.
package logtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Run holds a log against what eventlog.Log promises. open returns an empty log.
func Run(t *testing.T, open func(t *testing.T) eventlog.Log) {
	t.Run("append_then_read", func(t *testing.T) { appendThenRead(t, open(t)) })
	t.Run("stale_heads_are_refused", func(t *testing.T) { staleHeads(t, open(t)) })
	t.Run("no_op_checks_the_head", func(t *testing.T) { noOp(t, open(t)) })
	t.Run("logs_are_apart", func(t *testing.T) { apart(t, open(t)) })
	t.Run("dense_in_order_under_16_writers", func(t *testing.T) { dense(t, open(t)) })
}

// Project is a change that stands for any.
func Project(name string) eventlog.Change {
	return eventlog.Change{Subject: uuid.New(), Body: &eventv1.ProjectCreated{Name: name, DisplayName: name}}
}

func appendThenRead(t *testing.T, log eventlog.Log) {
	organization := uuid.New()
	a := eventlog.Append{
		OrganizationID: organization, Actor: "member:m", RequestID: "r",
		Source:  eventlog.Source{Address: "192.0.2.1", UserAgent: "curl/8"},
		Changes: []eventlog.Change{Project("a"), Project("b")},
	}
	written, err := log.Append(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	read, err := log.Read(t.Context(), organization, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(written, read, protocmp.Transform()); diff != "" {
		t.Errorf("read differs from written:\n%s", diff)
	}
	if len(read) != 2 || read[0].Version != 1 || read[1].Version != 2 || read[1].Actor != "member:m" || read[1].RequestID != "r" || read[1].Source != a.Source {
		t.Errorf("read %+v", read)
	}
	tail, err := log.Read(t.Context(), organization, 1, 10)
	if err != nil || len(tail) != 1 || tail[0].Version != 2 {
		t.Errorf("after version 1: %+v, %v", tail, err)
	}
}

func staleHeads(t *testing.T, log eventlog.Log) {
	organization := uuid.New()
	mustBegin(t, log, organization)
	for _, head := range []int64{0, 2, 7} {
		_, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Head: head, Changes: []eventlog.Change{Project("b")}})
		if !errors.Is(err, eventlog.ErrStale) {
			t.Errorf("head %d: got %v", head, err)
		}
	}
	if head, err := log.Head(t.Context(), organization); head != 1 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
}

func noOp(t *testing.T, log eventlog.Log) {
	organization := uuid.New()
	mustBegin(t, log, organization)
	if events, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Head: 1}); err != nil || len(events) != 0 {
		t.Errorf("at the head: %v, %v", events, err)
	}
	if _, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Head: 2}); !errors.Is(err, eventlog.ErrStale) {
		t.Errorf("beyond the head: %v", err)
	}
	if head, err := log.Head(t.Context(), organization); head != 1 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
}

func apart(t *testing.T, log eventlog.Log) {
	one, two := uuid.New(), uuid.New()
	mustBegin(t, log, one)
	events, err := log.Read(t.Context(), two, 0, 10)
	if err != nil || len(events) != 0 {
		t.Errorf("read %v, %v", events, err)
	}
	if head, err := log.Head(t.Context(), two); head != 0 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
	mustBegin(t, log, two)
}

// dense lets writers race. Half of their appends hold a payload with a backslash,
// which the log under test may refuse after it moved the head.
func dense(t *testing.T, log eventlog.Log) {
	const writers, each = 16, 10
	organization := uuid.New()
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := 0; i < each; {
				head, err := log.Head(t.Context(), organization)
				if err != nil {
					t.Error(err)
					return
				}
				changes := []eventlog.Change{Project(fmt.Sprintf("w%d-%d", w, i))}
				if rand.IntN(2) == 0 {
					changes = append(changes, eventlog.Change{Subject: uuid.New(), Body: &eventv1.ProjectCreated{Name: "\x00"}})
				}
				_, err = log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Head: head, Changes: changes})
				if err == nil {
					i++
				} else if !errors.Is(err, eventlog.ErrStale) && len(changes) == 1 {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	events, err := log.Read(t.Context(), organization, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) < writers*each {
		t.Errorf("%d events, want %d or more", len(events), writers*each)
	}
	for i, e := range events {
		if e.Version != int64(i)+1 {
			t.Fatalf("event %d has version %d", i, e.Version)
		}
		if i > 0 && e.RecordedAt.Before(events[i-1].RecordedAt) {
			t.Errorf("version %d was recorded before version %d", e.Version, e.Version-1)
		}
	}
}

// mustBegin appends the first event of a log.
func mustBegin(t *testing.T, log eventlog.Log, organization uuid.UUID) {
	t.Helper()
	_, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Changes: []eventlog.Change{Project("a")}})
	if err != nil {
		t.Fatal(err)
	}
}
