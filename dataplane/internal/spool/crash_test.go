package spool_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/proto/contract/batch"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	crashDir  = "WEIR_SPOOL_CRASH_DIR"
	crashFull = "WEIR_SPOOL_CRASH_FULL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := victim(dir, os.Getenv(crashFull)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func crashOptions(dir string) spool.Options {
	return spool.Options{
		Dir: filepath.Join(dir, "spool"), SegmentBytes: 16 << 10, MaxBytes: 64 << 20,
		FsyncEvery: time.Millisecond, Linger: 2 * time.Millisecond,
	}
}

// victim serves requests and ships them to a file until it is killed. Its journal
// tells what its callers were told: S: the start returned, A: the start of another
// attempt did, E: the end did.
func victim(dir, full string) error {
	journal, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	broker, err := os.OpenFile(filepath.Join(dir, "broker"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	o, request, pause := crashOptions(dir), serve, time.Duration(0)
	if full != "" {
		o, request, pause = smallOptions(dir, full), serveFull, 3*time.Millisecond
	}
	l, err := spool.Open(o)
	if err != nil {
		return err
	}
	fmt.Println("open")
	var workers sync.WaitGroup
	var failed atomic.Value
	for w := range 4 {
		workers.Go(func() { failed.Store(request(l, journal, fmt.Sprintf("%s/%d", l.Boot(), w))) })
	}
	workers.Go(func() { failed.Store(deliver(l, broker, pause)) })
	workers.Wait()
	return failed.Load().(error)
}

func serve(l *spool.Log, journal *os.File, name string) error {
	for i := 0; ; i++ {
		request := fmt.Sprintf("%s/%d", name, i)
		id, err := l.Start(charging(started(request), 10))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(journal, "S %s\n", request); err != nil {
			return err
		}
		if rand.N(50) == 0 {
			time.Sleep(rand.N(5 * time.Millisecond))
		}
		if rand.N(4) == 0 {
			if err := l.Again(id, charging(again(request), 20)); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(journal, "A %s\n", request); err != nil {
				return err
			}
		}
		if rand.N(200) == 0 {
			continue // stays open until the end
		}
		if err := l.End(id, charging(finished(request), 3)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(journal, "E %s\n", request); err != nil {
			return err
		}
	}
}

func deliver(l *spool.Log, broker *os.File, pause time.Duration) error {
	for {
		time.Sleep(pause)
		some, err := l.Next(context.Background(), 3, closeBatch)
		if err != nil {
			return err
		}
		for _, b := range some {
			if _, err := fmt.Fprintf(broker, "%x\n", b.Value); err != nil {
				return err
			}
			if rand.N(10) == 0 {
				break // the acknowledgement got lost
			}
			l.Acked(b)
			if rand.N(3) > 0 {
				l.Settle([]*agentv1.SettledRange{{Boot: b.Boot, FirstSeq: b.First, LastSeq: b.Last}})
			}
		}
	}
}

func TestKill(t *testing.T) {
	dir := t.TempDir()
	kills := 25
	for range kills {
		killOnce(t, dir, "")
	}
	o := crashOptions(dir)
	l := open(t, o)
	var last []string
	for _, b := range drain(t, l) {
		last = append(last, hex.EncodeToString(b.Value))
	}
	delivered := append(lines(t, filepath.Join(dir, "broker")), last...)
	records := ingest(t, delivered)
	checkJournal(t, lines(t, filepath.Join(dir, "journal")), records)
	checkCharged(t, l, delivered)
	t.Logf("%d kills, %d requests, %d batches delivered, %d interrupted", kills, len(records), len(delivered), interruptedCount(records))
}

func killOnce(t *testing.T, dir, full string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashFull+"="+full)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if rand.N(4) > 0 { // else it is killed while it recovers
		expect(t, out, full)
	}
	time.Sleep(rand.N(80 * time.Millisecond))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("victim ended by itself: %v", err)
	}
}

// expect waits until the victim serves, and, where it is to, until its spool is full.
func expect(t *testing.T, out io.Reader, full string) {
	t.Helper()
	words := []string{"open\n", "full\n"}
	if full == "" {
		words = words[:1]
	}
	said := bufio.NewReader(out)
	for _, word := range words {
		if line, err := said.ReadString('\n'); line != word {
			t.Fatalf("victim said %q, %v", line, err)
		}
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(string(data), "\n")
	return all[:len(all)-1] // the last one may be torn: its batch was not acknowledged
}

// ingest takes each range once, as the real one does, and demands that repeats
// are identical, ranges never overlap and numbers are dense.
func ingest(t *testing.T, delivered []string) map[string]*usagev1.UsageRecord {
	t.Helper()
	type number struct {
		boot string
		seq  int64
	}
	owner, repeats, count := map[number]string{}, map[string]bool{}, map[string]int64{}
	records := map[string]*usagev1.UsageRecord{}
	for _, text := range delivered {
		value, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		header, all, err := batch.Open(value, publicKey)
		if err != nil {
			t.Fatal(err)
		}
		if repeats[text] {
			continue
		}
		repeats[text] = true
		for _, r := range all {
			n := number{header.GetBoot(), r.GetSeq()}
			if owner[n] != "" {
				t.Fatalf("%v came in two different batches", n)
			}
			if records[r.GetRequestId()] != nil {
				t.Fatalf("request %s has two records", r.GetRequestId())
			}
			owner[n], records[r.GetRequestId()] = text, r
			count[header.GetBoot()]++
		}
	}
	for boot, n := range count {
		for seq := range n {
			if owner[number{boot, seq + 1}] == "" {
				t.Fatalf("boot %s has %d records and no number %d", boot, n, seq+1)
			}
		}
	}
	return records
}

func checkJournal(t *testing.T, journal []string, records map[string]*usagev1.UsageRecord) {
	t.Helper()
	for _, line := range journal {
		event, request, _ := strings.Cut(line, " ")
		r := records[request]
		if r == nil {
			t.Fatalf("request %s has no record", request)
		}
		if event == "A" && r.GetOutcome() == usagev1.Outcome_OUTCOME_INTERRUPTED && len(r.GetAttempts()) != 2 {
			t.Fatalf("request %s began two attempts and is reported with %d", request, len(r.GetAttempts()))
		}
		if event == "E" && r.GetOutcome() != usagev1.Outcome_OUTCOME_OK {
			t.Fatalf("request %s ended and is reported as %v", request, r.GetOutcome())
		}
	}
	if len(journal) == 0 {
		t.Fatal("nothing was served")
	}
}

// checkCharged: the totals of every boot that was killed are what its records say.
func checkCharged(t *testing.T, l *spool.Log, delivered []string) {
	t.Helper()
	want, got := map[string]int64{}, map[string]int64{}
	seen := map[string]bool{}
	for _, text := range delivered {
		value, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		header, records, err := batch.Open(value, publicKey)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if seen[text] {
				continue
			}
			boot := header.GetBoot()
			if from := r.GetTornFrom(); from != nil {
				boot = from.GetBoot()
			}
			for _, c := range r.GetCharges() {
				want[boot] += c.GetAmount()
			}
		}
		seen[text] = true
	}
	totals, whole := l.Charged()
	for _, h := range totals {
		got[h.GetBoot()] += h.GetSpent()
	}
	if diff := cmp.Diff(want, got); diff != "" || !whole {
		t.Errorf("whole: %v, charged %s", whole, diff)
	}
}

func interruptedCount(records map[string]*usagev1.UsageRecord) (n int) {
	for _, r := range records {
		if r.GetOutcome() == usagev1.Outcome_OUTCOME_INTERRUPTED {
			n++
		}
	}
	return n
}
