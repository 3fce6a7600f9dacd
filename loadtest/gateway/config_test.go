package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPeers(t *testing.T) {
	c := Config{
		Target: []string{"one=http://127.0.0.1:8080", "two=http://localhost:81/openai/", "weir=http://[::1]:90"},
		Key:    []string{"common=", "two=sk-=2"}, Model: []string{"one=gpt"}, Path: []string{"two=chat"}, WeirPrivate: "http://127.0.0.1:91/",
	}
	got, err := c.peers()
	if err != nil {
		t.Fatal(err)
	}
	want := []target{
		{name: "one", address: "127.0.0.1:8080", path: "/v1/chat/completions", key: "common=", model: "gpt"},
		{name: "two", address: "127.0.0.1:81", path: "/openai/chat", key: "sk-=2", model: "gpt-4o-mini"},
		{name: "weir", address: "[::1]:90", path: "/v1/chat/completions", key: "common=", model: "gpt-4o-mini", private: "http://127.0.0.1:91"},
	}
	if len(got) != len(want) {
		t.Fatal(got)
	}
	for i := range want {
		if diff := cmp.Diff(want[i], *got[i], cmp.AllowUnexported(target{}), cmpopts.IgnoreFields(target{}, "again")); diff != "" {
			t.Error(diff)
		}
	}
	_, err = (&Config{Target: []string{"x", "=http://127.0.0.1:1", "bare=http://127.0.0.1:1", "s=https://127.0.0.1:1", "p=http://127.0.0.1",
		"far=http://10.0.0.1:80", "a=http://127.0.0.1:1", "a=http://127.0.0.1:2"}}).peers()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"--target x: want NAME=URL", "--target =http", "bare is measured anyway", "--target s=https://127.0.0.1:1: want http://",
		"--target p=", "want an address on loopback", "another one of that name"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q:\n%v", want, err)
		}
	}
}

func TestConfigSaysAllFaults(t *testing.T) {
	err := (&Config{Only: []string{"speed"}, Payload: []int{0}, Slice: time.Millisecond, Soak: time.Second, FaultEvery: -1}).validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"--only speed", "--payload 0", "--rounds 0", "--connections 0",
		"--streams 0", "--open-streams 0", "--slice 1ms", "--soak 1s", "--fault-every -1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q:\n%v", want, err)
		}
	}
	c := config()
	if err := c.validate(); err != nil {
		t.Error(err)
	}
}

// A request is of the size that its shape says.
func TestBodies(t *testing.T) {
	for _, s := range []shape{{1, false}, {1, true}, {200, false}} {
		one := target{model: "gpt-4o-mini"}
		if n := len(one.body(s)); n != s.kb<<10 || !json.Valid(one.body(s)) {
			t.Errorf("%v has %d bytes", s, n)
		}
	}
}
