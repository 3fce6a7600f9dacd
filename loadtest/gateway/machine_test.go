package gateway

import (
	"net"
	"os"
	"slices"
	"testing"

	"github.com/weirhq/weir/loadtest/proc"
)

func TestListener(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if pid := listener(port); pid != os.Getpid() {
			t.Errorf("%s: process %d, this is %d", address, pid, os.Getpid())
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if pid := listener(port); pid != 0 {
			t.Errorf("%s: process %d listens on a closed port", address, pid)
		}
	}
}

// Cores of a process that is pinned and freed.
func TestPin(t *testing.T) {
	before, err := allowedCores()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := pin(os.Getpid(), before); err != nil {
			t.Error(err)
		}
		if after, err := allowedCores(); err != nil || !slices.Equal(after, before) {
			t.Errorf("cores %v, %v, before %v", after, err, before)
		}
	}()
	if err := pin(os.Getpid(), before[:1]); err != nil {
		t.Fatal(err)
	}
	if now, err := allowedCores(); err != nil || !slices.Equal(now, before[:1]) {
		t.Errorf("cores %v, %v", now, err)
	}
}

func TestProcessorAndMemoryOfAProcess(t *testing.T) {
	one := &target{pid: os.Getpid()}
	before := one.spent()
	for sum := 0; one.spent()-before < 1e6; sum++ { // spend a millisecond
		_ = sum
	}
	if before <= 0 || (&target{}).spent() != 0 {
		t.Errorf("%v, and %v of nobody", before, (&target{}).spent())
	}
	if resident, err := proc.Resident(os.Getpid()); err != nil || resident < 1e6 {
		t.Errorf("%d bytes, %v", resident, err)
	}
	busy, all := processorTime()
	if busy <= 0 || all <= busy {
		t.Errorf("busy %v of %v", busy, all)
	}
	if err := raiseFiles(1 << 40); err == nil {
		t.Error("a process may have 2^40 open files")
	}
}
