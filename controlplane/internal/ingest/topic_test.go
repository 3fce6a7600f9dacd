package ingest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

func (w *world) newIngest() *Ingest {
	w.t.Helper()
	config := w.config
	config.Metrics = prometheus.NewRegistry()
	in, err := New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

func TestIngest_does_not_begin_on_wrong_topics(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	usage, dead := w.config.Topic, w.config.DeadTopic
	for want, change := range map[string]func(){
		"does not exist: make it with kafka-topics.sh": func() { w.config.Topic = "nowhere-" + uuid.NewString() },
		"cleanup.policy=compact, wanted delete": func() {
			w.config.DeadTopic = "compacted-" + uuid.NewString()
			w.create(w.config.DeadTopic, 1, "compact")
		},
	} {
		w.config.Topic, w.config.DeadTopic = usage, dead
		change()
		if err := w.newIngest().Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestIngest_tells_what_endangers_usage(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.config.Topic = "endangered-" + uuid.NewString()
	w.create(w.config.Topic, partitions, "delete",
		kafka.ConfigEntry{ConfigName: settingRetention, ConfigValue: "3600000"}, kafka.ConfigEntry{ConfigName: settingMessageBytes, ConfigValue: "100000"})
	in := w.start()
	w.eventually("the settings are seen", func() bool {
		return gauge(in.metrics.settings.WithLabelValues(w.config.Topic, settingRetention)) == 1 &&
			gauge(in.metrics.settings.WithLabelValues(w.config.Topic, settingMessageBytes)) == 1
	})
	if gauge(in.metrics.settings.WithLabelValues(w.config.Topic, settingReplicas)) == 1 {
		t.Error("an alarm for the only broker's one replica")
	}
}

// A topic that was deleted and made anew begins anew, and nothing of it is skipped.
func TestIngest_topic_made_anew(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.config.PartitionsEvery = 200 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	run := func() chan error {
		ended := make(chan error, 1)
		in := w.newIngest()
		go func() { ended <- in.Run(ctx) }()
		return ended
	}
	ended := run()
	w.send(0, w.batch(a, usage(1, 5)...), w.batch(a, usage(6, 9)...))
	w.settled(0, 2)
	if _, err := w.kafka.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{w.config.Topic}}); err != nil {
		t.Fatal(err)
	}
	w.create(w.config.Topic, partitions, "delete")
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "made anew") && !strings.Contains(err.Error(), "does not exist") {
		t.Fatalf("the topic is another one: %v", err)
	}
	for i := range int64(4) {
		w.send(0, w.batch(a, usage(10+i, 10+i)...))
	}
	ended = run()
	w.eventually("all is there", func() bool { return w.rows(a) == counts{13, 13} })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff("1-13", w.settledOf(a)); diff != "" {
		t.Error(diff)
	}
}
