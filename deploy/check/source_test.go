package check

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// config files are where each binary's settings are declared.
var configs = map[string]string{"weir-agent": "../../dataplane/config.go", "weir-controlplane": "../../controlplane/config.go"}

// brokers are the settings that both binaries have of the brokers.
const brokers = "../../proto/contract/brokers/brokers.go"

// quoted finds names in env:"…" tags, and in the tables of secrets, which may come as NAME_FILE.
var quoted = regexp.MustCompile(`(env:)?"(WEIR_[A-Z0-9_]+)"`)

// knownSettings are the variables that a binary reads.
func knownSettings(t *testing.T, binary string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, found := range quoted.FindAllStringSubmatch(read(t, configs[binary])+read(t, brokers), -1) {
		known[found[2]] = true
		if found[1] == "" {
			known[found[2]+"_FILE"] = true
		}
	}
	if !known["WEIR_LISTEN"] || len(known) < 10 {
		t.Fatalf("%s declares only %v", configs[binary], slices.Sorted(maps.Keys(known)))
	}
	return known
}

// onlyKnown complains of variables that the binary would not read.
func onlyKnown(t *testing.T, binary string, variables []string) {
	t.Helper()
	known := knownSettings(t, binary)
	for _, name := range variables {
		if strings.HasPrefix(name, "WEIR_") && !known[name] {
			t.Errorf("%s does not read %s", binary, name)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// seconds reads a constant such as drainTimeout = 30 * time.Second.
func seconds(t *testing.T, path, constant string) int64 {
	t.Helper()
	found := regexp.MustCompile(`\b` + constant + `\s*= ([0-9]+) \* time\.Second`).FindStringSubmatch(read(t, path))
	if found == nil {
		t.Fatalf("%s has no %s", path, constant)
	}
	n, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// agentEnds is how long an agent may take beside what is configured: to tell callers that they are cut, to record that, for
// a last flush and to close the spool.
func agentEnds(t *testing.T) int64 {
	t.Helper()
	const drain, run = "../../dataplane/drain.go", "../../dataplane/dataplane.go"
	return seconds(t, drain, "tellTimeout") + seconds(t, drain, "recordTimeout") + seconds(t, run, "lastFlush") + seconds(t, run, "closeTimeout") +
		seconds(t, "../../dataplane/internal/tracing/tracing.go", "endTimeout")
}

// byDefault is a duration of the agent that nobody configured, in seconds.
func byDefault(t *testing.T, name string) int64 {
	t.Helper()
	found := regexp.MustCompile(`env:"` + name + `" default:"([0-9a-z]+)"`).FindStringSubmatch(read(t, configs["weir-agent"]))
	if found == nil {
		t.Fatalf("%s has no default of %s", configs["weir-agent"], name)
	}
	d, err := time.ParseDuration(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return int64(d.Seconds())
}

// graces are how long each binary may take to end after SIGTERM, in seconds.
func graces(t *testing.T) map[string]int64 {
	t.Helper()
	return map[string]int64{
		"weir-agent":        byDefault(t, "WEIR_DRAIN_TIMEOUT") + byDefault(t, "WEIR_DELIVERY_TIMEOUT") + agentEnds(t),
		"weir-controlplane": seconds(t, "../../controlplane/server.go", "drainTimeout"),
	}
}
