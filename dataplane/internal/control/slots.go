package control

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// slotMagic begins a slot; SHA-256 of the rest and a serialized PolicyFile follow.
const (
	slotMagic = "weirpol1"
	slotHead  = len(slotMagic) + sha256.Size
)

const maxSlotBytes = maxMessageBytes + 1<<20

var errDamaged = errors.New("damaged")

// policyFile is a verified policy with the exact bytes that were signed.
type policyFile struct {
	header    *policyv1.Release
	release   *policyv1.SignedRelease
	resources []*policyv1.Resource
	revoked   *signedSet
}

func (p *policyFile) newerThan(q *policyFile) bool {
	h, other := p.header, q.header
	if h.GetEpoch() == other.GetEpoch() && h.GetVersion() == other.GetVersion() {
		return newer(p.revoked.epoch(), p.revoked.version(), q.revoked.epoch(), q.revoked.version())
	}
	return newer(h.GetEpoch(), h.GetVersion(), other.GetEpoch(), other.GetVersion())
}

// slots are two files; each write goes to the one that is not in use. A third has the
// latest revocations again: no damage to one file takes them back.
type slots struct {
	paths   [2]string
	revoked revocationFile
	active  int // index of the slot in use
	touched time.Time
	signers [2][]string // ids of the keys that each slot is signed with
	held    [2]*policyv1.Release
}

func openSlots(dir string) (*slots, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make policy folder: %w", err)
	}
	return slotsIn(dir), nil
}

func slotsIn(dir string) *slots {
	return &slots{
		paths: [2]string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}, active: 1,
		revoked: revocationFile{path: filepath.Join(dir, "revocations")},
	}
}

// write puts the policy into the unused slot, which is then the one in use.
func (s *slots) write(p *policyFile) error {
	if err := s.revoked.write(p.revoked); err != nil {
		return err
	}
	parts, err := encodeSlot(p)
	if err != nil {
		return err
	}
	next := 1 - s.active
	if err := writeFile(s.paths[next], parts...); err != nil {
		return err
	}
	s.active, s.touched = next, time.Now()
	s.signers[next], s.held[next] = p.signers(), p.header
	return nil
}

func encodeSlot(p *policyFile) ([][]byte, error) {
	body, err := proto.Marshal(&policyv1.PolicyFile{Release: p.release, Resources: p.resources, Revocations: p.revoked.signed})
	if err != nil {
		return nil, fmt.Errorf("encode policy: %w", err)
	}
	return summed(slotMagic, body), nil
}

// summed is a body with what begins its file: a magic of 8 bytes and a SHA-256.
func summed(magic string, body []byte) [][]byte {
	sum := sha256.Sum256(body)
	return [][]byte{[]byte(magic), sum[:], body}
}

func isSummed(magic string, raw []byte) bool {
	sum := sha256.Sum256(raw[slotHead:])
	return bytes.Equal(raw[:slotHead], append([]byte(magic), sum[:]...))
}

// signers are the ids of the keys that the policy is signed with.
func (p *policyFile) signers() []string {
	return []string{p.release.GetSigningKeyId(), p.revoked.signed.GetSigningKeyId()}
}

// oldest is the older of the releases that a start could serve; nil: there is none.
func (s *slots) oldest() *policyv1.Release {
	a, b := s.held[0], s.held[1]
	if a == nil || b != nil && newer(a.GetEpoch(), a.GetVersion(), b.GetEpoch(), b.GetVersion()) {
		return b
	}
	return a
}

const touchEvery = 30 * time.Second

// touch notes on disk, coarsely, that the policy in use was confirmed now.
func (s *slots) touch(now time.Time) error {
	if now.Sub(s.touched) < touchEvery {
		return nil
	}
	s.touched = now
	return s.date(now)
}

func (s *slots) date(now time.Time) error {
	if err := os.Chtimes(s.paths[s.active], now, now); err != nil {
		return fmt.Errorf("note that the policy is fresh: %w", err)
	}
	return nil
}

// noSlot is where a seed is.
const noSlot = -1

// loaded is what one slot, or a seed, holds.
type loaded struct {
	slot int
	path string
	file *policyFile
	// confirmed is when the control plane last confirmed it.
	confirmed time.Time
}

// load returns the valid slots, newest first, the largest set of revocations that
// any file holds, and what is wrong with the others.
func (s *slots) load(identity *Identity) (valid []loaded, revoked *signedSet, faults []error) {
	identity = identity.withFormer()
	revoked, err := s.revoked.read(identity)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		faults = append(faults, fmt.Errorf("revocations %s: %w", s.revoked.path, err))
	}
	for slot, path := range s.paths {
		file, set, err := readSlot(path, identity)
		revoked = larger(revoked, set)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("policy slot %s: %w", path, err))
			continue
		}
		s.signers[slot], s.held[slot] = file.signers(), file.header
		found := loaded{slot: slot, path: path, file: file}
		if info, err := os.Stat(path); err == nil {
			found.confirmed = info.ModTime()
		}
		valid = append(valid, found)
	}
	slices.SortStableFunc(valid, newestFirst)
	return valid, revoked, faults
}

func newestFirst(a, b loaded) int {
	switch {
	case a.file.newerThan(b.file):
		return -1
	case b.file.newerThan(a.file):
		return 1
	}
	return 0
}

// readSlot may return a set of revocations from a slot that is damaged otherwise:
// the set carries its own signature.
func readSlot(path string, identity *Identity) (*policyFile, *signedSet, error) {
	content, err := readSlotFile(path)
	if err != nil {
		return nil, nil, err
	}
	return parseSlot(content, identity)
}

func readSlotFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSlotBytes {
		return nil, fmt.Errorf("%w: not a regular file of at most %d bytes", errDamaged, maxSlotBytes)
	}
	return os.ReadFile(path)
}

func parseSlot(raw []byte, identity *Identity) (*policyFile, *signedSet, error) {
	if len(raw) < slotHead {
		return nil, nil, fmt.Errorf("%w: %d bytes", errDamaged, len(raw))
	}
	body := raw[slotHead:]
	stored := &policyv1.PolicyFile{}
	if err := proto.Unmarshal(body, stored); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	revoked, err := identity.revocations(stored.GetRevocations())
	if err != nil {
		return nil, nil, err
	}
	if !isSummed(slotMagic, raw) {
		return nil, revoked, fmt.Errorf("%w: wrong checksum", errDamaged)
	}
	header, err := identity.release(stored.GetRelease())
	if err != nil {
		return nil, revoked, err
	}
	if err := content(header, stored.GetResources()); err != nil {
		return nil, revoked, err
	}
	return &policyFile{header: header, release: stored.GetRelease(), resources: stored.GetResources(), revoked: revoked}, revoked, nil
}
