package usage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/weirhq/weir/dataplane/internal/usage"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestWays(t *testing.T) {
	one, two := &flaky{}, &flaky{}
	ways, err := usage.NewWays(usage.ByRelay, map[string]usage.Sender{usage.ByRelay: one, usage.ByKafka: two})
	if err != nil {
		t.Fatal(err)
	}
	changed := ways.Switched()
	if err := ways.Switch(usage.ByRelay); err != nil || ways.Now() != usage.ByRelay {
		t.Errorf("to the same: %v", err)
	}
	select {
	case <-changed:
		t.Error("to the same is told as a switch")
	default:
	}
	if err := ways.Switch(usage.ByKafka); err != nil || ways.Now() != usage.ByKafka {
		t.Error(err)
	}
	<-changed
	if err := ways.Switch("pigeon"); err == nil || !strings.Contains(err.Error(), "kafka and relay") || ways.Now() != usage.ByKafka {
		t.Errorf("%v", err)
	}
	if _, err := usage.NewWays(usage.ByKafka, map[string]usage.Sender{usage.ByRelay: one}); err == nil {
		t.Error("a way that is not there is no way to begin with")
	}
}

// A failure does not keep a way that was given up.
func TestASwitchEndsTheWait(t *testing.T) {
	l, up := openSpool(t), &flaky{}
	away := failing{&usage.LaterError{After: time.Minute, Err: errors.New("busy")}}
	ways, err := usage.NewWays(usage.ByRelay, map[string]usage.Sender{usage.ByRelay: away, usage.ByKafka: up})
	if err != nil {
		t.Fatal(err)
	}
	requests(t, l, 0, 3)
	run(t, usage.Options{Source: l, Sender: ways, Switched: ways.Switched})
	time.Sleep(100 * time.Millisecond)
	if err := ways.Switch(usage.ByKafka); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it goes the other way", func() bool { return len(up.sent()) == 1 })
}

type failing struct{ err error }

func (f failing) Send(context.Context, []usage.Message) (int, error) { return 0, f.err }

// counted keeps what went a way and how each of it ended, as the agent saw it.
type counted struct {
	usage.Sender
	mu           sync.Mutex
	acknowledged map[string]int // values
	doubtful     map[string]bool
	calls        int
}

func (c *counted) Send(ctx context.Context, messages []usage.Message) (int, error) {
	taken, err := c.Sender.Send(ctx, messages)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	for i, m := range messages {
		if i < taken {
			c.acknowledged[string(m.Value)]++
		} else if err != nil {
			c.doubtful[string(m.Value)] = true
		}
	}
	return taken, err
}

// Under load the way changes several times a second and the broker, which both end at, goes
// away and comes back: everything arrives, in order, and what no failure made doubtful once.
func TestSwitchingUnderLoadWithOutages(t *testing.T) {
	port := freePort(t)
	addrs, dir := []string{fmt.Sprintf("127.0.0.1:%d", port)}, t.TempDir()
	up := func() *kfake.Cluster {
		return cluster(t, kfake.Ports(port), kfake.DataDir(dir), kfake.SeedTopics(partitions, "usage"))
	}
	direct := sender(t, usage.KafkaConfig{Brokers: addrs, Topic: "usage", Timeout: time.Second})
	behind := sender(t, usage.KafkaConfig{Brokers: addrs, Topic: "usage", Timeout: time.Second})
	acknowledged, doubtful := map[string]int{}, map[string]bool{}
	byKafka := &counted{Sender: direct, acknowledged: acknowledged, doubtful: doubtful}
	byRelay := &counted{Sender: pushing(t, behind), acknowledged: acknowledged, doubtful: doubtful}
	ways, err := usage.NewWays(usage.ByKafka, map[string]usage.Sender{usage.ByKafka: byKafka, usage.ByRelay: byRelay})
	if err != nil {
		t.Fatal(err)
	}
	l := openSpool(t)
	stop := run(t, usage.Options{Source: l, Sender: ways, Switched: ways.Switched, MaxBackoff: 50 * time.Millisecond, FlushWithin: 20 * time.Second})
	var served atomic.Int64
	over := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				requests(t, l, int(served.Add(20))-20, 20)
				time.Sleep(2 * time.Millisecond)
			}
		}
	})
	group.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-over:
				return
			case <-time.After(150 * time.Millisecond):
				_ = ways.Switch([]string{usage.ByRelay, usage.ByKafka}[i%2])
			}
		}
	})
	for range 3 {
		c := up()
		time.Sleep(1200 * time.Millisecond)
		c.Close()
		time.Sleep(500 * time.Millisecond)
	}
	up()
	close(over)
	group.Wait()
	stop()
	got := values(messages(t, addrs, "usage"))
	checkComplete(t, got, served.Load())
	times := map[string]int{}
	for _, value := range got {
		times[string(value)]++
	}
	twice := 0
	for value, n := range times {
		if n > 1 && !doubtful[value] {
			twice++
		}
	}
	if twice > 0 || byKafka.calls < 5 || byRelay.calls < 5 {
		t.Errorf("%d batches are there twice though every send of them was acknowledged; %d calls by kafka, %d by relay", twice, byKafka.calls, byRelay.calls)
	}
	t.Logf("%d records in %d batches, %d of them doubtful; %d calls by kafka, %d by relay", served.Load(), len(times), len(doubtful), byKafka.calls, byRelay.calls)
}

// pushing is the way over a relay that hands on to a broker.
func pushing(t *testing.T, to usage.Sender) usage.Sender {
	t.Helper()
	_, relay := serveRelay(t, func(_ int, batches []*usagev1.SignedBatch) (accepted int, err error) {
		for _, b := range batches {
			value, err := batch.Value(b)
			if err != nil {
				return 0, err
			}
			if _, err := to.Send(context.Background(), []usage.Message{{AgentID: agentID, Value: value}}); err != nil {
				break
			}
			accepted++
		}
		if accepted == 0 {
			return 0, failure(connect.CodeUnavailable)
		}
		return accepted, nil
	})
	return relay
}

func TestWaysKeepTheBytes(t *testing.T) {
	l := openSpool(t)
	relay, sender := serveRelay(t, func(_ int, batches []*usagev1.SignedBatch) (int, error) { return len(batches), nil })
	requests(t, l, 0, 700)
	batches, err := l.Flush(t.Context(), 16, func(boot string, records []*usagev1.UsageRecord) ([]byte, error) {
		return batch.Close(agentID, boot, records, time.Now(), key)
	})
	if err != nil || len(batches) == 0 {
		t.Fatal(len(batches), err)
	}
	var all []usage.Message
	for _, b := range batches {
		all = append(all, usage.Message{AgentID: agentID, Value: b.Value})
	}
	if taken, err := sender.Send(t.Context(), all); taken != len(all) || err != nil {
		t.Fatal(taken, err)
	}
	for i, value := range relay.values() {
		if !bytes.Equal(value, batches[i].Value) {
			t.Errorf("batch %d has other bytes behind the relay", i)
		}
	}
}
