package courier

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/alert"
)

// docs/metrics.md names the metric with every result.
func TestMetricsAreAsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(text), "| `weir_courier_attempts_total` | `result` |")
	line, _, _ = strings.Cut(line, "\n")
	for result := alert.Unknown; result <= alert.ChannelDeleted; result++ {
		if name := resultNames[result]; name == "" || !found || !strings.Contains(line, "`"+name+"`") {
			t.Errorf("result %d, %q, is not documented", result, name)
		}
	}
	if n := len(slices.Compact(slices.Sorted(maps.Values(resultNames)))); n != int(alert.ChannelDeleted)+1 {
		t.Errorf("%d names", n)
	}
}
