package spool_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

func tailOf(l *spool.Log, boot string) *agentv1.BootTail {
	for _, tail := range l.Tails() {
		if tail.GetBoot() == boot {
			return tail
		}
	}
	return nil
}

// An agent that enrolled anew has the spool of the one before: each record goes out once,
// signed by who closed it, and goes from the disk when it is settled.
func TestAnotherAgent(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), Linger: time.Millisecond}
	l := open(t, o)
	l.ShipsAs("former")
	request(t, l, "a")
	closed := next(t, l)
	l.Acked(closed)
	request(t, l, "b") // in no batch
	torn := start(t, l, "c")
	boot := l.Boot()
	if former := tailOf(l, boot).GetFormerAgentIds(); torn == 0 || former != nil {
		t.Errorf("its own batches are those of %v", former)
	}
	shut(t, l)

	l = open(t, o)
	l.ShipsAs("present")
	if tail := tailOf(l, boot); fmt.Sprint(tail.GetFormerAgentIds()) != "[former]" || tail.GetLastSeq() != 2 {
		t.Errorf("the old boot is told as %v", tail)
	}
	if former := tailOf(l, l.Boot()).GetFormerAgentIds(); former != nil {
		t.Errorf("the new boot has records of %v", former)
	}
	var sent []string
	for _, b := range drain(t, l) {
		sent = append(sent, fmt.Sprint(b.Agent, " ", b.Boot == boot, " ", b.First, "-", b.Last))
	}
	if fmt.Sprint(sent) != "[former true 1-1 present true 2-2 present false 1-1]" {
		t.Errorf("sent %v", sent)
	}
	for _, step := range []struct {
		settled *agentv1.SettledRange
		left    int64
	}{
		{&agentv1.SettledRange{Boot: boot, FirstSeq: 1, LastSeq: 1}, 3}, // nobody but the former has it
		{&agentv1.SettledRange{Boot: boot, FirstSeq: 1, LastSeq: 2, AgentId: "former"}, 2},
		{&agentv1.SettledRange{Boot: boot, FirstSeq: 2, LastSeq: 2, AgentId: "stranger"}, 2},
		{&agentv1.SettledRange{Boot: boot, FirstSeq: 2, LastSeq: 2}, 1},
		{&agentv1.SettledRange{Boot: l.Boot(), FirstSeq: 1, LastSeq: 1, AgentId: "present"}, 0},
	} {
		l.Settle([]*agentv1.SettledRange{step.settled})
		if got := l.Stats().Records; got != step.left {
			t.Errorf("after %v: %d records are left, want %d", step.settled, got, step.left)
		}
	}
	if former := tailOf(l, boot).GetFormerAgentIds(); former != nil {
		t.Errorf("settled batches are told as those of %v", former)
	}
	shut(t, l)
	l = open(t, o)
	l.ShipsAs("present")
	if got, more := l.Stats().Records, len(drain(t, l)); got != 0 || more != 0 {
		t.Errorf("after a restart %d records are left and %d batches are sent", got, more)
	}
}

// An agent that enrols anew twice has what two before it left: each batch goes out in the
// name of who closed it, and is settled by that name only.
func TestAnotherAgentTwice(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), Linger: time.Millisecond}
	var boots []string
	for n, agent := range []string{"first", "second", "third"} {
		l := open(t, o)
		boots = append(boots, l.Boot())
		l.ShipsAs(agent)
		if agent == "third" {
			if former := tailOf(l, boots[0]).GetFormerAgentIds(); fmt.Sprint(former) != "[first second]" {
				t.Errorf("the first boot has batches of %v", former)
			}
			if former := tailOf(l, boots[1]).GetFormerAgentIds(); fmt.Sprint(former) != "[second]" {
				t.Errorf("the second boot has batches of %v", former)
			}
		}
		request(t, l, fmt.Sprint("closed ", n))
		drain(t, l) // closed and never settled
		request(t, l, fmt.Sprint("left ", n))
		shut(t, l)
	}
	l := open(t, o)
	l.ShipsAs("third")
	names := map[string]string{boots[0]: "1", boots[1]: "2", boots[2]: "3"}
	var sent []string
	for _, b := range drain(t, l) {
		sent = append(sent, fmt.Sprint(b.Agent, " ", names[b.Boot], ".", b.First))
		l.Settle([]*agentv1.SettledRange{{Boot: b.Boot, FirstSeq: b.First, LastSeq: b.Last, AgentId: b.Agent}})
	}
	if got := fmt.Sprint(sent); got != "[first 1.1 second 1.2 second 2.1 third 2.2 third 3.1 third 3.2]" {
		t.Errorf("sent %s", got)
	}
	if left := l.Stats().Records; left != 0 {
		t.Errorf("%d records are left", left)
	}
}
