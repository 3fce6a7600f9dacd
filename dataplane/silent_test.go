package dataplane

import (
	"net"
	"strings"
	"testing"
	"time"
)

// A connection on which nobody ever asked, as balancers and pools of clients open them ahead
// of need, is no request in flight: the agent ends in order, and says what became of its usage.
func TestDrainDoesNotWaitForSilentConnections(t *testing.T) {
	t.Setenv("WEIR_SECRET_TEST", "secret")
	dir := t.TempDir()
	seed(t, dir, provider("http://127.0.0.1:1"))
	agent, stop := runUntil(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{"http://127.0.0.1:1"},
		DrainTimeout: 10 * time.Second, DeliveryTimeout: 100 * time.Millisecond})
	silent, err := net.Dial("tcp", strings.TrimPrefix(agent.applications, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	time.Sleep(50 * time.Millisecond) // until it is accepted: nothing tells
	if err := stop(); err != nil {
		t.Errorf("the agent ends with %v", err)
	}
	if !strings.Contains(agent.log.String(), "in the state folder") {
		t.Errorf("nothing is said of its usage:\n%s", agent.log.String())
	}
}
