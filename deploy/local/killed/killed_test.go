package killed_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Writers go on while the control plane, and then Postgres, are killed at any instant.
// What was answered yes is in the log, once and whole; nothing else is there by half.
// WEIR_KILLS is how often the control plane is killed.
func TestKilled(t *testing.T) {
	kills := 10
	if text := os.Getenv("WEIR_KILLS"); text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		must(t, err)
	}
	s := newTarget(t)
	first, writers := s.tenant("alpha", 2)
	second, more := s.tenant("beta", 2)
	writers = append(writers, more...)
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for _, w := range writers {
		wait.Go(func() { w.write(ctx) })
	}
	s.kill("control plane", kills, s.killControlPlane)
	s.kill("Postgres", max(3, kills/10), s.killPostgres)
	stop()
	wait.Wait()

	answered, retries, stored := map[string]said{}, 0, 0
	for _, w := range writers {
		for id, yes := range w.said {
			answered[id] = yes
		}
		retries, stored = retries+w.retries, stored+w.stored
	}
	t.Logf("%d requests were answered; %d after a retry, %d of them from the stored answer", len(answered), retries, stored)
	if len(answered) == 0 || retries == 0 {
		t.Error("the kills met nobody")
	}
	s.holds(answered, first, second)
	s.run("rebuild", "--all")
	s.run("audit", "verify")
}

// kill does so a number of times, each within what a handful of commits takes.
func (s *target) kill(what string, times int, do func()) {
	began := time.Now()
	for i := range times {
		time.Sleep(20*time.Millisecond + rand.N(200*time.Millisecond)) // the instant is the point
		if do(); s.t.Failed() {
			s.t.Fatalf("after kill %d of %s", i+1, what)
		}
	}
	s.t.Logf("killed %s %d times in %s", what, times, time.Since(began).Round(time.Second))
}

// holds compares the log with what was answered.
func (s *target) holds(answered map[string]said, organizations ...string) {
	s.t.Helper()
	ctx := s.t.Context()
	conn, err := pgx.Connect(ctx, s.DSN)
	must(s.t, err)
	defer conn.Close(ctx)
	logged := map[string][]string{}
	for _, organization := range organizations {
		rows, err := conn.Query(ctx, `SELECT version, request_id, subject::text FROM event WHERE organization_id = $1 ORDER BY version`, organization)
		must(s.t, err)
		var version, next int64
		var request, subject string
		_, err = pgx.ForEachRow(rows, []any{&version, &request, &subject}, func() error {
			if next++; version != next {
				s.t.Errorf("organization %s: version %d where %d is due", organization, version, next)
			}
			if request != "" {
				logged[request] = append(logged[request], subject)
			}
			return nil
		})
		must(s.t, err)
		var head int64
		must(s.t, conn.QueryRow(ctx, `SELECT head FROM organization_head WHERE organization_id = $1`, organization).Scan(&head))
		if head != next {
			s.t.Errorf("organization %s: head %d, %d events", organization, head, next)
		}
	}
	for id, yes := range answered {
		if !slices.Equal(yes.ids, logged[id]) {
			s.t.Errorf("request %s: answered %v, the log has %v", id, yes.ids, logged[id])
		}
	}
	if len(logged) != len(answered) {
		s.t.Errorf("the log has %d requests, %d were answered", len(logged), len(answered))
	}
	var remembered int
	must(s.t, conn.QueryRow(ctx, `SELECT count(*) FROM idempotency`).Scan(&remembered))
	if remembered != len(answered) {
		s.t.Errorf("%d answers are stored, %d were given", remembered, len(answered))
	}
}
