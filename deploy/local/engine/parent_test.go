package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/fetch"
)

const parentVariable = "WEIR_TEST_PARENT"

type trio struct {
	Engines fetch.Installation
	Dir     string
	Ports   []int
}

// startAll starts the three engines below one folder; the caller stops them.
func (c trio) startAll(ctx context.Context) (running []Running, err error) {
	pg, _, err := StartPostgres(ctx, PostgresConfig{Engines: c.Engines, Dir: filepath.Join(c.Dir, "postgres"), Port: c.Ports[0]})
	if err != nil {
		return running, err
	}
	running = append(running, pg)
	ch, _, err := StartClickHouse(ctx, ClickHouseConfig{
		Engines: c.Engines, Dir: filepath.Join(c.Dir, "clickhouse"), HTTPPort: c.Ports[1], TCPPort: c.Ports[2],
	})
	if err != nil {
		return running, err
	}
	running = append(running, ch)
	kafka, _, err := StartKafka(ctx, KafkaConfig{Dir: filepath.Join(c.Dir, "kafka"), Port: c.Ports[3]})
	if err != nil {
		return running, err
	}
	return append(running, kafka), nil
}

// beParent is the process that TestKilledParent kills.
func beParent(config string) int {
	var c trio
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		fmt.Println(err)
		return 1
	}
	if _, err := c.startAll(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	select {}
}

func TestKilledParent(t *testing.T) {
	t.Run("leaves_nothing_that_blocks_the_next_start", func(t *testing.T) {
		c := trio{Engines: fetched(t), Dir: t.TempDir(), Ports: freePorts(t, 4)}
		config, err := json.Marshal(c)
		must(t, err)
		for range 2 {
			killParentWhenReady(t, string(config))
			expectFree(t, c.Ports)
		}
		running, err := c.startAll(soon(t))
		for _, r := range running {
			defer r.Stop()
		}
		must(t, err)
	})
}

func killParentWhenReady(t *testing.T, config string) {
	t.Helper()
	cmd := exec.CommandContext(soon(t), os.Args[0])
	cmd.Env = append(os.Environ(), parentVariable+"="+config)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line, _ := bufio.NewReader(out).ReadString('\n')
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	if line != "ready\n" {
		t.Fatalf("the parent said %q", line)
	}
}

// expectFree fails when an orphan keeps one of the ports.
func expectFree(t *testing.T, ports []int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var faults []error
		for _, port := range ports {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err == nil {
				err = l.Close()
			}
			faults = append(faults, err)
		}
		err := errors.Join(faults...)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
