package chaos

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/engine"
)

func TestMain(m *testing.M) {
	if code, is := engine.Child(os.Args[1:]); is {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// All kinds of faults for as long as a test may take; make test-chaos has more of them.
// The seed is another one each time and is printed.
func TestChaos(t *testing.T) {
	if !inside() {
		possible, err := enter(t.Context(), "-test.run=^TestChaos$", "-test.count=1", "-test.v")
		if !possible || err != nil {
			t.Fatalf("possible %t: %v", possible, err)
		}
		return
	}
	c := Config{For: 30 * time.Second, Faults: []Kind{kill, stop, cut, full}, Disks: []string{"agent", "kafka"}, AtOnce: 3, Rate: 25, Kafka: "embedded", Rest: 2 * time.Minute}
	var out strings.Builder
	err := Run(t.Context(), c, &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Error(err)
	}
}

// A run that killed nothing proves nothing, and says so.
func TestRun_that_proves_nothing(t *testing.T) {
	if _, err := brokerOf("carrier-pigeons"); err == nil {
		t.Error("a broker that nobody knows")
	}
	r := &run{config: Config{Faults: []Kind{kill}}}
	found := r.idle(&monkeys{}, nil)
	if len(found) != 1 || !strings.Contains(found[0].text, "proves nothing") {
		t.Errorf("found %v", found)
	}
}
