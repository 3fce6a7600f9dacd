package relay_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirhq/weir/controlplane/internal/relay"
	"github.com/weirhq/weir/proto/contract/batch"
	"github.com/weirhq/weir/proto/contract/partition"
)

func sign(a *agent, header []byte) []byte { return ed25519.Sign(a.key, batch.Message(header)) }

// held is a producer that lets nothing go on before it is told to.
type held struct {
	relay.Producer
	entered chan string // agents
	open    chan struct{}

	mu          sync.Mutex
	now, atMost map[string]int
}

func newHeld(to relay.Producer) *held {
	return &held{Producer: to, entered: make(chan string, 100), open: make(chan struct{}), now: map[string]int{}, atMost: map[string]int{}}
}

func (h *held) count(agent string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now[agent] += n
	h.atMost[agent] = max(h.atMost[agent], h.now[agent])
}

func (h *held) Produce(ctx context.Context, agent string, values [][]byte) (int, error) {
	h.count(agent, 1)
	defer h.count(agent, -1)
	h.entered <- agent
	<-h.open
	return h.Producer.Produce(ctx, agent, values)
}

// A client that repeats itself, concurrently and going away in between, has one write under
// way, and its batches stand in order.
func TestOneWriteOfAnAgentAtATime(t *testing.T) {
	var producer *held
	w := newWorld(t, func(c *relay.Config) { producer = newHeld(c.Producer); c.Producer = producer })
	a, b := w.agent(uuid.New(), "eu"), w.agent(uuid.New(), "eu")
	request := w.request(a.batch(1), a.batch(1), a.batch(1))
	impatient, leave := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _, _ = a.send(impatient, request) })
	<-producer.entered
	leave()
	for range 4 {
		group.Go(func() {
			if n, err := a.send(context.Background(), request); err != nil || n != 3 {
				t.Errorf("accepted %d: %v", n, err)
			}
		})
	}
	group.Go(func() {
		if n, err := b.push(b.batch(1)); err != nil || n != 1 {
			t.Errorf("accepted %d: %v", n, err)
		}
	})
	if who := <-producer.entered; who != b.ID.String() {
		t.Error("a second write of one agent began, or another agent's waits for it")
	}
	close(producer.open)
	group.Wait()
	if n := producer.atMost[a.ID.String()]; n != 1 {
		t.Errorf("%d writes of one agent at a time", n)
	}
	var got []int64
	for _, m := range w.broker.records(partition.Of(a.ID.String(), partitions)) {
		if header, err := batch.Header(m.Value); err == nil && string(m.Key) == a.ID.String() {
			got = append(got, header.GetFirstSeq())
		}
	}
	if len(got) != 15 {
		t.Fatalf("%d records, want the three of 5 calls", len(got))
	}
	for i, first := range got {
		if first != int64(i%3+1) {
			t.Fatalf("calls are mixed: %v", got)
		}
	}
}

func TestRoom(t *testing.T) {
	var producer *held
	w := newWorld(t, func(c *relay.Config) {
		producer = newHeld(c.Producer)
		c.Producer, c.Limits = producer, relay.Limits{Process: 320 << 10, Organization: 192 << 10, Agent: 128 << 10} // a call counts as 64 KiB at least
	})
	var group sync.WaitGroup
	busy := func(a *agent) {
		group.Go(func() {
			if n, err := a.push(a.batch(1)); err != nil || n != 1 {
				t.Errorf("accepted %d: %v", n, err)
			}
		})
	}
	tenant := uuid.New()
	crowd, second, third := w.agent(tenant, "eu"), w.agent(tenant, "eu"), w.agent(tenant, "eu")
	first, again := crowd.batch(1), crowd.batch(1)
	group.Go(func() { _, _ = crowd.push(first) })
	<-producer.entered
	group.Go(func() { _, _ = crowd.push(again) })
	eventually(t, "the second call waits", func() bool { return w.metric("weir_relay_in_flight_bytes") == 128<<10 })
	_, err := crowd.push(again)
	if said := w.refused("one agent's crowd", err, connect.CodeResourceExhausted, "agent_busy"); seconds(said) != "1" {
		t.Errorf("Retry-After %q", seconds(said))
	}
	busy(second)
	<-producer.entered
	_, err = third.push(third.batch(1))
	if said := w.refused("one organization's crowd", err, connect.CodeResourceExhausted, "organization_busy"); seconds(said) != "1" {
		t.Errorf("Retry-After %q", seconds(said))
	}
	for _, a := range []*agent{w.agent(uuid.New(), "eu"), w.agent(uuid.New(), "eu")} {
		busy(a)
		<-producer.entered
	}
	late := w.agent(uuid.New(), "eu")
	_, err = late.push(late.batch(1))
	if said := w.refused("everybody's crowd", err, connect.CodeResourceExhausted, "relay_busy"); seconds(said) != "1" {
		t.Errorf("Retry-After %q", seconds(said))
	}
	close(producer.open)
	group.Wait()
	busy(late)
	busy(third)
	group.Wait()
	if used := w.metric("weir_relay_in_flight_bytes"); used != 0 {
		t.Errorf("%v bytes in flight at the end", used)
	}
}

func TestBrokerAway(t *testing.T) {
	w := newWorld(t)
	var agents []*agent
	for range 40 {
		agents = append(agents, w.agent(uuid.New(), "eu"))
	}
	w.broker.cluster.Close()
	calls := func() (longest time.Duration, refused int) {
		var group sync.WaitGroup
		var mu sync.Mutex
		for _, a := range agents {
			value := a.batch(1)
			group.Go(func() {
				began := time.Now()
				_, err := a.push(value)
				mu.Lock()
				defer mu.Unlock()
				longest = max(longest, time.Since(began))
				var said *connect.Error
				if errors.As(err, &said) && said.Code() == connect.CodeUnavailable && seconds(said) >= "1" && len(seconds(said)) == 1 {
					refused++
				}
			})
		}
		group.Wait()
		return longest, refused
	}
	if took, refused := calls(); refused != len(agents) || took > 4*time.Second {
		t.Errorf("%d of %d were told to come again, within %s", refused, len(agents), took)
	}
	if took, refused := calls(); refused != len(agents) || took > time.Second {
		t.Errorf("known to be away: %d of %d were told to come again, within %s", refused, len(agents), took)
	}
	w.broker.start()
	eventually(t, "it is taken again", func() bool {
		n, err := agents[0].push(agents[0].batch(1))
		return err == nil && n == 1
	})
}

// A partition that takes nothing and says nothing costs one call its timeout, and the others
// nothing.
func TestBrokerHangs(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	defer close(release)
	w.broker.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		w.broker.cluster.KeepControl()
		w.broker.cluster.SleepControl(func() { <-release })
		return nil, nil, false
	})
	first := w.agent(uuid.New(), "eu")
	_, err := first.push(first.batch(1))
	w.refused("the first", err, connect.CodeUnavailable, "broker_unavailable")
	began := time.Now()
	for n := 0; n < 5; {
		a := w.agent(uuid.New(), "eu")
		if partition.Of(a.ID.String(), partitions) != partition.Of(first.ID.String(), partitions) {
			continue
		}
		n++
		_, err := a.push(a.batch(1))
		w.refused("known to hang", err, connect.CodeUnavailable, "broker_unavailable")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("five calls at what is known to hang took %s, at one second of timeout each", took)
	}
}

func (w *world) metric(name string) (value float64) {
	w.t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			value = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return value
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}
