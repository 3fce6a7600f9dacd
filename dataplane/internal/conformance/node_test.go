package conformance_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// How to get what the tests of SDKs in JavaScript need.
const install = "run `make conformance-sdks`, which needs Node.js 20 or newer on the PATH"

// node is a process that asks by the SDK of one surface.
type node struct {
	process *exec.Cmd
	stdin   io.WriteCloser

	mu      sync.Mutex
	asked   int
	waiting map[int]chan nodeSaid
	gone    error
}

type nodeSaid struct {
	ID     int    `json:"id"`
	Answer answer `json:"answer"`
	// Broken is what is wrong with the program, not with what it was told.
	Broken string `json:"broken"`
}

// TestNodeSDKs holds the SDKs for JavaScript to the same.
func TestNodeSDKs(t *testing.T) {
	if _, err := os.Stat("node/node_modules/.package-lock.json"); err != nil {
		t.Fatalf("the SDKs for JavaScript are not installed: %s", install)
	}
	var all []speaker
	for _, speaker := range speakers {
		n := startNode(t, speaker.script)
		speaker.name, speaker.ask = "node_"+speaker.script, n.ask
		all = append(all, speaker)
	}
	conform(t, all)
}

func startNode(t *testing.T, script string) *node {
	t.Helper()
	n := &node{process: exec.Command("node", "conformance.mjs", script), waiting: map[int]chan nodeSaid{}}
	n.process.Dir = "node"
	n.process.Stderr = os.Stderr
	stdin, err1 := n.process.StdinPipe()
	stdout, err2 := n.process.StdoutPipe()
	if err := errors.Join(err1, err2, n.process.Start()); err != nil {
		t.Fatalf("start node: %v: %s", err, install)
	}
	n.stdin = stdin
	read := make(chan struct{})
	go func() {
		defer close(read)
		n.read(stdout)
	}()
	t.Cleanup(func() {
		_ = n.stdin.Close()
		<-read
		if err := n.process.Wait(); err != nil {
			t.Errorf("node %s: %v", script, err)
		}
	})
	return n
}

// read hands out answers as they come, in any order.
func (n *node) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 16<<20)
	err := errors.New("node ended")
	for lines.Scan() {
		var said nodeSaid
		if err = json.Unmarshal(lines.Bytes(), &said); err != nil {
			break
		}
		n.mu.Lock()
		n.waiting[said.ID] <- said
		delete(n.waiting, said.ID)
		n.mu.Unlock()
		err = errors.New("node ended")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = errors.Join(err, lines.Err())
	for _, waiting := range n.waiting {
		waiting <- nodeSaid{Broken: n.gone.Error()}
	}
}

func (n *node) ask(t *testing.T, talk talk) answer {
	t.Helper()
	said := make(chan nodeSaid, 1)
	n.mu.Lock()
	n.asked++
	line, _ := json.Marshal(map[string]any{"id": n.asked, "talk": talk})
	n.waiting[n.asked] = said
	_, err := n.stdin.Write(append(line, '\n'))
	if n.gone != nil {
		err = n.gone
	}
	n.mu.Unlock()
	if err != nil {
		t.Fatalf("tell node: %v", err)
	}
	got := <-said
	if got.Broken != "" {
		t.Fatal(got.Broken)
	}
	return got.Answer
}
