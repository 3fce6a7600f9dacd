//go:build apachekafka

package endtoend_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/apache"
	"github.com/weirhq/weir/deploy/local/apache/apachetest"
	"github.com/weirhq/weir/deploy/local/engine"
)

// Usage goes through Apache Kafka as through the embedded broker, and waits for it where it is gone.
func TestApache_usage(t *testing.T) {
	c := apachetest.Start(t, apache.Config{Nodes: 1, Topics: []engine.Topic{{Name: "weir.usage.v1", Partitions: 4}, {Name: "weir.usage.v1.dead", Partitions: 1}}})
	s := newStack(t)
	s.settings = append(s.settings, "WEIR_EXTERNAL_KAFKA_URL="+c.Open)
	s.start()
	app := newApplication(s.env["WEIR_AGENT_URL"], s.env["WEIR_KEY"])
	id, answer := app.complete(t, "Count me exactly.")
	s.expectRow(t, id, row{"demo", "mock", "gpt-4o-mini", "openai_chat", answer.Usage.PromptTokens, answer.Usage.CompletionTokens, 150, 600, false})

	c.Nodes[0].Kill()
	app.complete(t, "The broker is gone.")
	app.stream(t, "Streams go on.")
	if err := c.Nodes[0].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.within(t, time.Minute, "all usage, once", func() error {
		rows, err := s.query("SELECT last_seq, rows, complete FROM completeness WHERE last_seq > 0")
		if err != nil {
			return err
		}
		if len(rows) != 1 || fmt.Sprintf("%v %v %v", rows[0]["last_seq"], rows[0]["rows"], rows[0]["complete"]) != "3 3 true" {
			return fmt.Errorf("completeness is %v, want 3 of 3", rows)
		}
		return nil
	})
}
