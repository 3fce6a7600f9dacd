package ingest

import (
	"maps"
	"strings"
	"testing"
)

func TestFindings(t *testing.T) {
	good := map[string]string{
		settingCleanup: "delete", settingInSync: "2", settingRetention: "604800000", settingRetentionBytes: "-1", settingMessageBytes: "1048588", settingUnclean: "false",
	}
	with := func(setting, value string) described {
		d := described{name: "usage", brokers: 3, replicas: 3, at: "kafka:9092", settings: maps.Clone(good)}
		if setting != "" {
			d.settings[setting] = value
		}
		return d
	}
	dead := func(setting, value string) described {
		d := with(setting, value)
		d.dead = true
		return d
	}
	replicas := func(brokers, n int) described {
		d := with("", "")
		d.brokers, d.replicas = brokers, n
		return d
	}
	for name, c := range map[string]struct {
		topic described
		want  string // a part of the one finding; empty: there is none
	}{
		"as_it_should_be":            {with("", ""), ""},
		"kept_for_ever":              {with(settingRetention, "-1"), ""},
		"three_days":                 {with(settingRetention, "259200000"), ""},
		"less_than_three_days":       {with(settingRetention, "259199999"), "retention.ms=259199999, wanted at least 259200000"},
		"dead_letters_of_three_days": {dead(settingRetention, "259200000"), "dead letters that nobody replays"},
		"deleted_by_size":            {with(settingRetentionBytes, "1073741824"), "retention.bytes=1073741824, wanted -1"},
		"compacted":                  {with(settingCleanup, "compact,delete"), "cleanup.policy=compact,delete, wanted delete"},
		"one_replica":                {replicas(3, 1), "replication.factor=1, wanted 3"},
		"one_broker":                 {replicas(1, 1), "replication.factor=1, wanted 3"},
		"acknowledged_by_one":        {with(settingInSync, "1"), "--add-config min.insync.replicas=2"},
		"no_broker_may_be_down":      {with(settingInSync, "3"), "with 3 replicas nobody can write while one broker is down"},
		"large_batches_do_not_fit":   {with(settingMessageBytes, "300000"), "max.message.bytes=300000, wanted at least 524288: agents can't deliver"},
		"large_letters_do_not_fit":   {dead(settingMessageBytes, "300000"), "kept without their bytes"},
		"unclean_elections":          {with(settingUnclean, "true"), "unclean.leader.election.enable=true, wanted false"},
	} {
		t.Run(name, func(t *testing.T) {
			found := c.topic.findings()
			if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || !strings.Contains(found[0].String(), c.want)) {
				t.Fatalf("found %v, want %q", found, c.want)
			}
			for _, f := range found {
				if !strings.HasPrefix(f.String(), "topic usage has ") || !strings.Contains(f.mend, "kafka:9092") || f.why == "" {
					t.Errorf("unclear: %s", f)
				}
				if f.fatal != (name == "compacted") || f.expected != (name == "one_broker") {
					t.Errorf("fatal %t, expected %t", f.fatal, f.expected)
				}
			}
		})
	}
}
