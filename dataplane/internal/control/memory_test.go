package control_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestARevokedKeyStaysRevoked(t *testing.T) {
	t.Run("in_the_older_slot_when_the_newest_is_torn_after_pruning", func(t *testing.T) {
		f, o := newFleetOfOne(t), newOrganization()
		o.add("old")
		f.serve(o.release())
		o.revoke("old")
		o.pruned["old"] = true // away for 100 days: it hears of no revocation, the key is just gone
		f.serve(o.release())
		f.stop()
		f.torn(f.newest())
		f.offline().refuses(t, "old")
	})
	t.Run("when_the_set_forgets_it", func(t *testing.T) {
		f, o := newFleetOfOne(t), newOrganization()
		o.add("old")
		f.serve(o.release())
		o.revoke("old")
		f.revoke(o.set())
		o.pruned["old"] = true
		f.serve(o.release())
		f.stop()
		f.torn(f.newest())
		f.offline().refuses(t, "old")
	})
	t.Run("under_a_restored_control_plane_that_has_it_living", func(t *testing.T) {
		f, o := newFleetOfOne(t), newOrganization()
		o.add("old")
		f.serve(o.release())
		backup := o.clone()
		o.revoke("old")
		f.revoke(o.set())
		f.gate.refuses(t, "old")
		backup.epoch++
		f.serve(backup.release())
		f.gate.refuses(t, "old")
		f.offline().refuses(t, "old")
	})
	t.Run("when_a_set_that_is_no_larger_brings_it", func(t *testing.T) {
		for _, behind := range []int64{0, 1} { // as of one that grew, and of a control plane that is older than it knows
			f, o := newFleetOfOne(t), newOrganization()
			o.add("old")
			o.add("new")
			f.serve(o.release())
			o.revoke("old")
			o.revoke("new")
			o.pruned["old"] = true
			f.revoke(o.set())
			o.pruned["old"] = false
			o.revoked["new"] -= behind
			signed := f.liar.signSet(o.set())
			eventually(t, "the key is refused", func() bool {
				f.liar.again(func() { f.liar.revoke(signed) })
				return f.gate.standing("old") == snapshot.Revoked
			})
			f.offline().refuses(t, "old")
		}
	})
	t.Run("whose_secret_was_replaced_stays_replaced_in_the_older_slot", func(t *testing.T) {
		f, o := newFleetOfOne(t), newOrganization()
		o.add("old")
		f.serve(o.release())
		d := o.release()
		d.resources[1].Body = encode(&policyv1.Key{Id: "id-old", ProjectId: "p", Sha256: hashOf("new")})
		d.header.Root = rootOf(d.resources)
		f.serve(d)
		f.stop()
		f.torn(f.newest())
		if s := f.offline().standing("old"); s != snapshot.Rotated {
			t.Errorf("standing %v", s)
		}
	})
	t.Run("but_a_later_release_gives_back_what_only_left", func(t *testing.T) {
		f, o := newFleetOfOne(t), newOrganization()
		o.add("lost")
		f.serve(o.release())
		delete(o.living, "lost") // as after a restore to before it was made
		o.epoch++
		f.serve(o.release())
		o.living["lost"] = true // the restore is undone
		o.epoch++
		f.serve(o.release())
		if s := f.gate.standing("lost"); s != snapshot.Good {
			t.Errorf("standing %v", s)
		}
	})
	t.Run("with_a_memory_that_is_damaged_in_part", func(t *testing.T) {
		f, o := newFleetOfOne(t), newOrganization()
		for _, key := range []string{"a", "b", "c"} {
			o.add(key)
		}
		f.serve(o.release())
		backup := o.clone()
		for _, key := range []string{"a", "b", "c"} {
			o.revoke(key)
			f.revoke(o.set())
		}
		backup.epoch++
		f.serve(backup.release())
		backup.add("d")
		f.serve(backup.release()) // the set is in no slot any more
		f.stop()
		path := filepath.Join(f.dir, "policy", "revoked")
		content := read(t, path)
		at := bytes.Index(content, []byte("id-b"))
		content[at] ^= 1
		write(t, path, content[:len(content)-5]) // and the last line torn
		var said lockedBuffer
		config := f.gate.config("http://127.0.0.1:1", f.dir)
		config.Log = slog.New(slog.NewTextHandler(&said, nil))
		client, err := control.New(config)
		if err != nil {
			t.Fatal(err)
		}
		client.LoadPolicy()
		f.gate.refuses(t, "a")
		if !strings.Contains(said.String(), "2 lines are left out") {
			t.Errorf("the log says %s", said.String())
		}
	})
}

func TestReportTellsTheOldestStoredRelease(t *testing.T) {
	f, o := newFleetOfOne(t), newOrganization()
	first, second, third := o.release(), o.release(), o.release()
	told := func(want *draft) func() bool {
		return func() bool {
			for {
				select {
				case r := <-f.liar.reports:
					if r.GetOldestStored().GetVersion() == want.header.GetVersion() && r.GetOldestStored().GetEpoch() == 1 {
						return r.GetCapability() == control.Capability && r.GetRevocationsInForceMs() >= 0
					}
				default:
					return false
				}
			}
		}
	}
	f.serve(first)
	eventually(t, "the only slot is told", told(first))
	f.serve(second)
	eventually(t, "the older slot is told", told(first))
	f.serve(third)
	eventually(t, "the older slot is told once it was overwritten", told(second))
	f.stop()
	f.torn("a")
	f.torn("b")
	f.start()
	report := &agentv1.ReportRequest{}
	eventually(t, "torn slots are none", func() bool {
		select {
		case report = <-f.liar.reports:
		default:
		}
		return report.GetCapability() != 0 && report.GetOldestStored() == nil
	})
}
