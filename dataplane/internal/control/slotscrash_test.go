package control

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/dataplane/internal/disktest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// TestSlotsUnderAttack ends an agent at any instant of applying policies, and damages
// what it left. Afterwards
//
//   - what is served is one whole, signed policy;
//   - after a kill, or a write that failed, it is not older than the last one that was
//     applied and stored, nor are its revocations;
//   - when one of the files is damaged besides, it is not older than the write before that,
//     and its revocations still are the latest.
//
// WEIR_SLOTS_CRASHES says how often; WEIR_SLOTS_SEED repeats the choices, but not when
// a kill comes.
func TestSlotsUnderAttack(t *testing.T) {
	s := newSiege(t)
	times := 150
	if given, err := strconv.Atoi(os.Getenv("WEIR_SLOTS_CRASHES")); err == nil {
		times = given
	}
	for n := range times {
		s.round()
		if t.Failed() {
			t.Fatalf("in round %d", n)
		}
	}
	t.Logf("%d rounds, seed %d: %d policies and revocations stored, %d that the system refused to store; ends: %v; damage: %v; %d rounds lost the last write to damage",
		times, s.seed, s.applied, s.refused, s.ends, s.damages, s.lost)
}

// siege of one state folder. floor is what may not be lost: the last write that is known
// to be stored; before is the write ahead of it.
type siege struct {
	t             *testing.T
	dir           string
	seed          uint64
	random        *rand.Rand
	floor, before position
	tried         position // the last that was begun

	applied, refused, lost int
	ends, damages          map[string]int
}

func newSiege(t *testing.T) *siege {
	t.Helper()
	seed := rand.Uint64()
	if given, err := strconv.ParseUint(os.Getenv("WEIR_SLOTS_SEED"), 10, 64); err == nil {
		seed = given
	}
	s := &siege{t: t, dir: t.TempDir(), seed: seed, random: rand.New(rand.NewPCG(seed, 0)), ends: map[string]int{}, damages: map[string]int{}}
	t.Logf("seed %d", seed)
	if err := newWorld().settle(s.dir); err != nil {
		t.Fatal(err)
	}
	s.heal()
	return s
}

// round is one life, its end, perhaps damage, and the look at what is left.
func (s *siege) round() {
	s.live()
	damaged := s.random.IntN(3) > 0 && s.damage()
	s.look(damaged)
	if damaged && !s.t.Failed() {
		s.heal()
	}
}

// live runs an agent until it is killed.
func (s *siege) live() {
	short, ended := "", "killed"
	if s.random.IntN(2) == 0 {
		short, ended = strconv.Itoa(s.random.IntN(100_000)), "killed while writes failed"
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), SlotsDir+"="+s.dir, slotsShort+"="+short)
	output, err := command.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	time.AfterFunc(30*time.Millisecond+time.Duration(s.random.IntN(50))*time.Millisecond, func() { _ = command.Process.Kill() })
	for lines := bufio.NewScanner(output); lines.Scan(); {
		s.hear(lines.Text())
	}
	if err := command.Wait(); !strings.Contains(fmt.Sprint(err), "killed") {
		s.t.Errorf("it ended by itself: %v", err)
	}
	s.ends[ended]++
}

// hear takes what the victim said. A line that the kill cut is not one.
func (s *siege) hear(line string) {
	var what string
	var p position
	var stored bool
	if n, _ := fmt.Sscan(line, &what, &p.version, &p.revoked, &stored); n != 4 {
		return
	}
	s.tried = p
	switch {
	case what == "applied" && stored:
		s.applied++
		s.before, s.floor = s.floor, p
	case what == "applied":
		s.refused++
	}
}

// damage changes one of the files as a disk might.
func (s *siege) damage() bool {
	name := []string{"a", "b", "revocations"}[s.random.IntN(3)]
	path := filepath.Join(s.dir, "policy", name)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || len(content) == 0 {
		return false
	}
	kind := "cut"
	if at := s.random.IntN(len(content)); s.random.IntN(2) == 0 {
		content = content[:at]
	} else {
		kind, content = "bit", bytes.Clone(content)
		content[at] ^= 1 << s.random.IntN(8)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.damages[kind+" in "+name]++
	return true
}

// look starts an agent on what is left.
func (s *siege) look(damaged bool) {
	s.t.Helper()
	f, err := newFollower(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	if !f.LoadPolicy() || f.mixed != nil {
		s.t.Errorf("nothing is served, or what is mixed: %v", f.mixed)
		return
	}
	floor, got := s.floor, f.at()
	if damaged {
		floor.version = s.before.version
	}
	if got.version < floor.version || got.version > s.tried.version || got.revoked < floor.revoked || got.revoked > s.tried.revoked {
		s.t.Errorf("it serves %+v; at least %+v was stored, at most %+v was tried (damaged: %v)", got, floor, s.tried, damaged)
	}
	if got.version < s.floor.version {
		s.lost++
	}
	if got != s.floor { // a write that nobody told of: the one before is in the other slot
		s.before, s.floor = floor, got
	}
}

// heal writes both slots anew.
func (s *siege) heal() {
	s.t.Helper()
	f, err := newFollower(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	f.LoadPolicy()
	for range 2 {
		if err := f.step(newWorld(), func(what string, p position, stored bool) { s.hear(fmt.Sprintln(what, p.version, p.revoked, stored)) }); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestSlotsOnAFullDisk: the disk takes a part of a write, or nothing. What was stored
// before is served after a restart, and what could not be is served until then.
func TestSlotsOnAFullDisk(t *testing.T) {
	disktest.Run(t, 4<<20, func(t *testing.T, disk *disktest.Disk) {
		if err := newWorld().settle(disk.Path); err != nil {
			t.Fatal(err)
		}
		refused := 0
		for range 200 {
			f, err := newFollower(disk.Path)
			if err != nil {
				t.Fatal(err)
			}
			f.LoadPolicy()
			stored := f.at()
			note := func(what string, p position, ok bool) {
				if what == "applied" && ok {
					stored = p
				} else if what == "applied" {
					refused++
				}
			}
			for n := range 4 {
				if n == 1 {
					disk.Fill()
					disk.Spare(rand.Int64N(300_000))
				}
				if err := f.step(newWorld(), note); err != nil {
					t.Fatal(err)
				}
			}
			served := f.at()
			disk.Free()
			again, err := newFollower(disk.Path)
			if err != nil {
				t.Fatal(err)
			}
			if !again.LoadPolicy() || again.mixed != nil {
				t.Fatalf("nothing is served, or what is mixed: %v", again.mixed)
			}
			if got := again.at(); got.version < stored.version || got.revoked < stored.revoked || got.version > served.version || got.revoked > served.revoked {
				t.Fatalf("after a restart %+v; %+v was stored, %+v served", got, stored, served)
			}
		}
		t.Logf("200 restarts, %d writes that the disk refused", refused)
		if refused == 0 {
			t.Error("the disk was never full")
		}
	})
}

// TestStoredOnceThereIsRoom: what a full disk did not take is on it soon after it has room
// again, though nothing newer comes; and the older policy there does not pass for fresh.
func TestStoredOnceThereIsRoom(t *testing.T) {
	disktest.Run(t, 4<<20, func(t *testing.T, disk *disktest.Disk) {
		w := newWorld()
		if err := w.settle(disk.Path); err != nil {
			t.Fatal(err)
		}
		f, err := newFollower(disk.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.applySnapshot(w.snapshot(1, 0)); err != nil {
			t.Fatal(err)
		}
		long := time.Now().Add(-time.Hour)
		if err := f.slots.date(long); err != nil {
			t.Fatal(err)
		}
		for name, come := range map[string]func() error{
			"policy":      func() error { return f.applySnapshot(w.snapshot(f.at().version+1, f.at().revoked+1)) },
			"revocations": func() error { return f.applyRevocations(w.set(f.at().revoked + 1)) },
		} {
			disk.Fill()
			if err := come(); err != nil {
				t.Fatal(err)
			}
			f.slots.touched = time.Time{}
			f.heartbeat(&agentv1.Heartbeat{ServerTime: timestamppb.Now()})
			if info, err := os.Stat(f.slots.paths[f.slots.active]); err != nil || time.Since(info.ModTime()) < time.Minute {
				t.Errorf("%s: what is on disk counts as confirmed: %v %v", name, info.ModTime(), err)
			}
			disk.Free()
			f.heartbeat(&agentv1.Heartbeat{ServerTime: timestamppb.Now(), Behind: true})
			again, err := newFollower(disk.Path)
			if err != nil {
				t.Fatal(err)
			}
			if !again.LoadPolicy() || again.at() != f.at() || again.Freshness().Unix() != f.Freshness().Unix() || len(again.memory.entries) != len(f.memory.entries) {
				t.Errorf("%s: after a restart %+v of %v, with %d secrets remembered; served were %+v of %v, with %d", name,
					again.at(), again.Freshness(), len(again.memory.entries), f.at(), f.Freshness(), len(f.memory.entries))
			}
			if err := f.slots.date(long); err != nil {
				t.Fatal(err)
			}
		}
	})
}
