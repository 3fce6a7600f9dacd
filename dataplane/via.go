package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/usage"
)

const (
	// maxWay bounds what is read of a name.
	maxWay = 64
	// checkWithin is how long a start waits for shared brokers.
	checkWithin = 2 * time.Second
)

// buildWays makes the senders that the configuration gives, and uses the first of them.
func (a *agent) buildWays() (err error) {
	senders := map[string]usage.Sender{usage.ByRelay: usage.NewRelay(a.config.relay(), a.control.Signed(a.config.relay()))}
	if a.kafka != nil {
		senders[usage.ByKafka] = a.kafka
	}
	if a.ways, err = usage.NewWays(a.config.way(), senders); err != nil {
		return err
	}
	if err := a.metrics.Register(wayGauges{a.ways}); err != nil {
		return fmt.Errorf("register the way of usage: %w", err)
	}
	return nil
}

var usedWay = prometheus.NewDesc("weir_agent_usage_via", "1: usage goes this way.", []string{"way"}, nil)

// wayGauges tell in each scrape which way is used in that moment.
type wayGauges struct{ ways *usage.Ways }

func (g wayGauges) Describe(all chan<- *prometheus.Desc) { all <- usedWay }

func (g wayGauges) Collect(all chan<- prometheus.Metric) {
	now := g.ways.Now()
	for _, way := range g.ways.Names() {
		used := 0.0
		if way == now {
			used = 1
		}
		all <- prometheus.MustNewConstMetric(usedWay, prometheus.GaugeValue, used, way)
	}
}

// checkShared refuses a login that could read what others wrote. Where the brokers do not
// answer yet, nothing is sent to them before they were asked.
func (a *agent) checkShared(ctx context.Context) error {
	if a.kafka == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	identity, _ := a.control.Identity()
	err := a.kafka.CheckShared(ctx, identity.AgentID)
	if errors.Is(err, usage.ErrReadable) {
		return fmt.Errorf("WEIR_KAFKA_SHARED: %w", err)
	}
	if err != nil {
		a.logger.Warn("the brokers were not asked yet whether this agent's login can read the topic; they are before usage goes to them", "error", err)
	}
	return nil
}

func (c *Config) kafka() usage.KafkaConfig {
	return usage.KafkaConfig{Brokers: c.KafkaBrokers, Topic: c.KafkaTopic, Shared: c.KafkaShared, Access: c.Kafka.Access()}
}

// via shows how usage gets out, and POST, with a name as its body, changes it until the restart.
func (a *agent) via(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		name, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWay))
		if err != nil {
			http.Error(w, "that is no name of a way: want "+strings.Join(a.ways.Names(), " or "), http.StatusBadRequest)
			return
		}
		was := a.ways.Now()
		if err := a.ways.Switch(strings.TrimSpace(string(name))); err != nil {
			text := err.Error()
			if a.kafka == nil {
				text += "; WEIR_KAFKA_BROKERS and a restart add kafka"
			}
			http.Error(w, text, http.StatusConflict)
			return
		}
		a.logger.Warn("usage goes another way until the restart", "was", was, "now", a.ways.Now(), "configured", a.config.way())
	}
	fmt.Fprintln(w, a.viaText())
}

func (a *agent) viaText() string {
	text := "usage goes by relay, to " + a.config.relay()
	if a.ways.Now() == usage.ByKafka {
		text = fmt.Sprintf("usage goes by kafka, to %s of %s", a.config.KafkaTopic, strings.Join(a.config.KafkaBrokers, ","))
	}
	if a.ways.Now() != a.config.way() {
		text += "; after a restart it goes by " + a.config.way() + ", as configured"
	}
	return text
}
