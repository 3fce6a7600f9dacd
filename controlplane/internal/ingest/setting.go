package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings of topics that decide what becomes of usage.
const (
	settingCleanup        = "cleanup.policy"
	settingInSync         = "min.insync.replicas"
	settingRetention      = "retention.ms"
	settingRetentionBytes = "retention.bytes"
	settingMessageBytes   = "max.message.bytes"
	settingUnclean        = "unclean.leader.election.enable"
	// No setting of a topic, but named like one.
	settingReplicas = "replication.factor"
)

const (
	// A weekend, and a day to notice.
	minRetention = 72 * time.Hour
	// Somebody is to look at what was put aside.
	minDeadRetention = 168 * time.Hour
	// Agents close a batch at 256 KiB of encoded records; twice that leaves room for what is
	// around them.
	largestBatch = 512 << 10
)

// described is a topic as its broker describes it.
type described struct {
	name     string
	dead     bool // the topic of dead letters
	brokers  int
	replicas int
	at       string // a broker, host:port
	settings map[string]string
}

// finding is a setting that is not as usage needs it.
type finding struct {
	topic, setting, value string
	wanted, why, mend     string
	// fatal: ingest does not begin. All else is no better for it: what is in the topic
	// is in danger as long as it is not taken.
	fatal bool
	// expected on a machine with a single broker.
	expected bool
}

func (f finding) String() string {
	return fmt.Sprintf("topic %s has %s=%s, wanted %s: %s; mend it with: %s", f.topic, f.setting, f.value, f.wanted, f.why, f.mend)
}

// findings in the order of how bad they are.
func (d *described) findings() (out []finding) {
	add := func(setting, value, wanted, to, why string, change ...func(*finding)) {
		f := finding{
			topic: d.name, setting: setting, value: value, wanted: wanted, why: why,
			mend: fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s=%s", d.at, d.name, setting, to),
		}
		for _, c := range change {
			c(&f)
		}
		out = append(out, f)
	}
	if policy := d.settings[settingCleanup]; slices.Contains(strings.Split(policy, ","), "compact") {
		add(settingCleanup, policy, "delete", "delete", "compaction deletes usage", func(f *finding) { f.fatal = true })
	}
	d.durability(add)
	d.retention(add)
	if most, ok := d.number(settingMessageBytes); ok && most < largestBatch {
		why := "agents can't deliver their largest batches, and their spools fill up"
		if d.dead {
			why = "dead letters are kept without their bytes and can't be replayed"
		}
		add(settingMessageBytes, strconv.FormatInt(most, 10), fmt.Sprintf("at least %d", largestBatch), "1048588", why)
	}
	return out
}

type adder func(setting, value, wanted, to, why string, change ...func(*finding))

// durability is how many brokers may be lost. An agent waits for all replicas that are in
// sync, and forgets what ingest settled, not before.
func (d *described) durability(add adder) {
	inSync, ok := d.number(settingInSync)
	few := func(f *finding) { f.expected = d.brokers == 1 }
	switch {
	case d.replicas < 2:
		add(settingReplicas, strconv.Itoa(d.replicas), "3", "", "the loss of one broker's disk loses what agents may have deleted", few, func(f *finding) {
			f.mend = fmt.Sprintf("kafka-reassign-partitions.sh --bootstrap-server %s, with three brokers for each partition of %s", d.at, d.name)
		})
	case ok && inSync < 2:
		add(settingInSync, strconv.FormatInt(inSync, 10), "2", "2", "usage is acknowledged when one broker has it, whose loss then loses it")
	case ok && inSync >= int64(d.replicas):
		add(settingInSync, strconv.FormatInt(inSync, 10), strconv.Itoa(d.replicas-1), strconv.Itoa(d.replicas-1),
			fmt.Sprintf("with %d replicas nobody can write while one broker is down, and agents' spools fill up", d.replicas))
	}
	if d.replicas > 1 && d.settings[settingUnclean] == "true" {
		add(settingUnclean, "true", "false", "false", "a broker that was behind may become leader, and what it had not is lost")
	}
}

// retention is how long ingest may be down, or nobody may look at dead letters.
func (d *described) retention(add adder) {
	least, what := minRetention, "usage that ingest does not take for so long, as when ClickHouse is down, is deleted"
	if d.dead {
		least, what = minDeadRetention, "dead letters that nobody replays for so long are deleted"
	}
	if ms, ok := d.number(settingRetention); ok && ms >= 0 && ms < least.Milliseconds() {
		add(settingRetention, strconv.FormatInt(ms, 10), fmt.Sprintf("at least %d", least.Milliseconds()), "604800000",
			fmt.Sprintf("%s (%s)", what, time.Duration(ms)*time.Millisecond))
	}
	if bytes, ok := d.number(settingRetentionBytes); ok && bytes >= 0 {
		add(settingRetentionBytes, strconv.FormatInt(bytes, 10), "-1", "-1", "beyond this size of a partition Kafka deletes, read or not")
	}
}

// number is false where the broker does not tell.
func (d *described) number(setting string) (int64, bool) {
	n, err := strconv.ParseInt(d.settings[setting], 10, 64)
	return n, err == nil
}

// sameFindings tells whether there is nothing new to say.
func sameFindings(a, b []finding) bool {
	order := func(x, y finding) int { return cmp.Compare(x.String(), y.String()) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}
