package control

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func filled(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

func reopened(t *testing.T, path string) *memory {
	t.Helper()
	m, err := openMemory(path)
	if err != nil && !errors.Is(err, errDamaged) {
		t.Fatal(err)
	}
	return m
}

func (m *memory) refused(version int64) int {
	return len(m.over(&policyv1.Release{Epoch: 1, Version: version}, nil).GetRevocations())
}

func TestMemoryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	m := reopened(t, path)
	if _, err := m.add([]taken{{KeyID: "k", SHA256: filled(1)}, {SHA256: filled(2), Epoch: 1, Version: 5}}); err != nil {
		t.Fatal(err)
	}
	t.Run("what_left_is_refused_under_releases_before", func(t *testing.T) {
		if before, since := reopened(t, path).refused(4), reopened(t, path).refused(5); before != 2 || since != 1 {
			t.Errorf("%d before, %d since", before, since)
		}
	})
	t.Run("said_twice_is_written_once", func(t *testing.T) {
		was, _ := os.ReadFile(path)
		if news, err := m.add([]taken{{KeyID: "k", SHA256: filled(1)}, {SHA256: filled(2), Epoch: 1, Version: 3}, {KeyID: "k", SHA256: filled(1), Epoch: 9, Version: 9}}); news || err != nil {
			t.Fatalf("news: %t, %v", news, err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(was, now) {
			t.Errorf("%s", now)
		}
	})
	t.Run("a_torn_line_takes_no_later_one_with_it", func(t *testing.T) {
		whole, _ := os.ReadFile(path)
		if err := os.WriteFile(path, whole[:len(whole)-3], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := reopened(t, path).add([]taken{{KeyID: "later", SHA256: filled(3)}}); err != nil {
			t.Fatal(err)
		}
		if got := reopened(t, path).refused(9); got != 2 {
			t.Errorf("%d are refused, want the first and the last", got)
		}
	})
	t.Run("damage_at_any_byte_takes_its_line_only", func(t *testing.T) {
		m := reopened(t, filepath.Join(t.TempDir(), "revoked"))
		var all []taken
		for n := range byte(5) {
			all = append(all, taken{KeyID: "k", SHA256: filled(n), Epoch: 1, Version: int64(n)})
		}
		if _, err := m.add(all); err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(m.path)
		if err != nil {
			t.Fatal(err)
		}
		for at := range whole {
			for bit := range 8 {
				damaged := bytes.Clone(whole)
				damaged[at] ^= 1 << bit
				if err := os.WriteFile(m.path, damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				left, _ := openMemory(m.path)
				if least := len(all) - 1 - bytes.Count(whole[at:at+1], []byte("\n")); len(left.entries) < least {
					t.Fatalf("bit %d of byte %d: %d are left", bit, at, len(left.entries))
				}
				for _, entry := range left.entries {
					if !slices.ContainsFunc(all, func(one taken) bool { return reflect.DeepEqual(one, entry) }) {
						t.Fatalf("bit %d of byte %d: there is %+v", bit, at, entry)
					}
				}
			}
		}
	})
	t.Run("what_could_not_be_stored_is_tried_again", func(t *testing.T) {
		m := reopened(t, filepath.Join(t.TempDir(), "missing", "revoked"))
		if _, err := m.add([]taken{{KeyID: "k", SHA256: filled(1)}}); err == nil || m.refused(1) != 1 {
			t.Errorf("%v, %d are refused", err, m.refused(1))
		}
		if err := os.Mkdir(filepath.Dir(m.path), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := m.add(nil); err != nil || reopened(t, m.path).refused(1) != 1 {
			t.Errorf("%v", err)
		}
	})
	t.Run("it_is_bounded_while_it_grows", func(t *testing.T) {
		m := reopened(t, filepath.Join(t.TempDir(), "revoked"))
		m.bound = 8
		for n := range byte(100) {
			if _, err := m.add([]taken{{KeyID: "k", SHA256: filled(n)}}); err != nil {
				t.Fatal(err)
			}
		}
		left := reopened(t, m.path)
		for name, entries := range map[string][]taken{"in memory": m.entries, "on disk": left.entries} {
			if len(entries) < 8 || len(entries) > 10 || !bytes.Equal(entries[len(entries)-1].SHA256, filled(99)) {
				t.Errorf("%s: %d entries, the last %v", name, len(entries), entries[len(entries)-1])
			}
		}
	})
	t.Run("the_oldest_go_beyond_the_bound", func(t *testing.T) {
		m := reopened(t, path)
		m.bound = 1
		if err := m.shrink(); err != nil {
			t.Fatal(err)
		}
		left := reopened(t, path)
		if len(left.entries) != 1 || left.entries[0].KeyID != "later" || !left.put(taken{KeyID: "k", SHA256: filled(1)}) {
			t.Errorf("%v are left", left.entries)
		}
	})
}
