//go:build apachekafka

package ingest

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/deploy/local/apache"
	"github.com/weirhq/weir/deploy/local/apache/apachetest"
)

// The broker makes topics that are asked for, as Kafka does by default; ingest must not ask for them.
func TestApache_makes_no_topic(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.config.Topic = "nowhere-" + uuid.NewString()
	for range 2 {
		if err := w.newIngest().Run(t.Context()); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("got %v", err)
		}
	}
	metadata, err := w.kafka.Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range metadata.Topics {
		if found.Name == w.config.Topic {
			t.Error("it was made")
		}
	}
}

func TestApache_partitions_are_added_under_load(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.config.PartitionsEvery = 100 * time.Millisecond
	w.start()
	const batches, before = 60, 20
	for i := range int64(batches) {
		if i == before {
			w.repartition(2 * partitions)
		}
		among := int64(partitions)
		if i >= before {
			among *= 2
		}
		w.send(int(i%among), w.batch(a, usage(10*i+1, 10*i+10)...))
	}
	w.eventually("all is settled", func() bool { return w.settledOf(a) == "1-600" })
	if diff := gocmp.Diff(counts{600, 600}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

func (w *world) repartition(count int) {
	w.t.Helper()
	answer, err := w.kafka.CreatePartitions(w.t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: w.config.Topic, Count: int32(count)}}})
	if err = cmp.Or(err, answer.Errors[w.config.Topic]); err != nil {
		w.t.Fatal(err)
	}
	w.ready(w.config.Topic, count)
}

// retain has the broker delete segments, of 200 ms each, after a while.
func (w *world) retain(d time.Duration) {
	w.t.Helper()
	set := func(name string, d time.Duration) kafka.IncrementalAlterConfigsRequestConfig {
		return kafka.IncrementalAlterConfigsRequestConfig{Name: name, Value: strconv.FormatInt(d.Milliseconds(), 10), ConfigOperation: kafka.ConfigOperationSet}
	}
	answer, err := w.kafka.IncrementalAlterConfigs(w.t.Context(), &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: w.config.Topic,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{set("retention.ms", d), set("segment.ms", 200*time.Millisecond)},
	}}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range answer.Resources {
		if r.Error != nil {
			w.t.Fatal(r.Error)
		}
	}
}

// deletedUpTo waits until the broker has nothing before an offset of partition 0.
func (w *world) deletedUpTo(offset int64) {
	w.t.Helper()
	b := w.newBroker()
	defer b.close()
	w.eventually("the broker deletes", func() bool {
		first, _, err := b.bounds(w.t.Context(), 0)
		if err != nil {
			w.t.Fatal(err)
		}
		return first >= offset
	})
}

// What the broker deletes before a slow ingest read it is said to be lost, is in no settled range, and arrives when the
// agent sends it again.
func TestApache_records_deleted_before_they_were_read(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	first := w.start()
	w.send(0, w.batch(a, usage(1, 5)...))
	w.settled(0, 1)
	first.stop()
	late := [][]byte{w.batch(a, usage(6, 9)...), w.batch(a, usage(10, 12)...), w.batch(a, usage(13, 13)...)}
	w.send(0, late[:2]...)
	w.retain(300 * time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	w.send(0, late[2]) // begins a segment; what is before can go
	w.deletedUpTo(3)
	w.retain(time.Hour)
	w.send(0, w.batch(a, usage(14, 20)...))

	in := w.start()
	w.eventually("the rest is settled", func() bool { return strings.HasSuffix(w.settledOf(a), "-20") })
	if lost := gauge(in.metrics.lost); lost < 2 {
		t.Errorf("%v offsets are said to be lost, want 2 or 3", lost)
	}
	if got := w.settledOf(a); got != "1-5,13-20" && got != "1-5,14-20" {
		t.Errorf("settled %s: 6-12 were never read", got)
	}
	w.send(1, late...) // as the agent does after a while
	w.eventually("all is settled", func() bool { return w.settledOf(a) == "1-20" })
	if diff := gocmp.Diff(counts{20, 20}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

// A block that was noted and can't be made again stops its partition, loudly.
func TestApache_records_of_a_noted_block_are_deleted(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	killed := make(chan struct{})
	w.start(func(in *Ingest, kill context.CancelFunc) {
		in.sink = &fragile{sink: in.sink, beforeInsert: func(context.Context, block) error {
			kill()
			close(killed)
			return errKilled
		}}
	})
	w.send(0, w.batch(a, usage(1, 5)...))
	<-killed
	w.retain(300 * time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	w.send(0, w.batch(a, usage(6, 6)...))
	w.deletedUpTo(1)
	in := w.start()
	w.eventually("the partition stops", func() bool { return gauge(in.metrics.stopped.WithLabelValues("0")) == 1 })
}

// Whatever happens to brokers that acknowledged a batch, it becomes rows, once.
func TestLongApache_brokers_die_and_hang(t *testing.T) {
	for name, nodes := range map[string]int{"one": 1, "three": 3} {
		t.Run(name, func(t *testing.T) {
			c := apachetest.Start(t, apache.Config{Nodes: nodes})
			t.Setenv("WEIR_TEST_KAFKA_BROKERS", c.Open)
			w := newWorld(t, chtest.Open(t))
			w.kafka.Timeout = 5 * time.Second
			a := w.agent()
			w.start()
			var sent int64
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					default:
					}
					value := w.batch(a, usage(sent+1, sent+10)...)
					for w.produce(int(sent/10%partitions), kafka.Record{Value: kafka.NewBytes(value)}) != nil {
						time.Sleep(100 * time.Millisecond)
					}
					sent += 10
				}
			}()
			for _, n := range c.Nodes {
				time.Sleep(2 * time.Second)
				n.Kill()
				time.Sleep(2 * time.Second)
				if err := n.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				if err := errors.Join(n.Pause(), wait(30*time.Second), n.Continue()); err != nil {
					t.Fatal(err)
				}
			}
			close(stop)
			<-stopped
			want := seqs{{1, sent}}.String()
			w.eventually("all is settled", func() bool { return w.settledOf(a) == want })
			if diff := gocmp.Diff(counts{uint64(sent), uint64(sent)}, w.rows(a)); diff != "" {
				t.Error(diff)
			}
			t.Logf("%d records", sent)
		})
	}
}

func wait(d time.Duration) error { time.Sleep(d); return nil }
