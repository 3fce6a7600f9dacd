package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
	"strconv"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// maxRemembered bounds a memory; beyond it the oldest entries are forgotten, a quarter
// of it at a time: each time writes the whole file.
const maxRemembered = maxRevocations

// taken is a secret that opens its key no more.
type taken struct {
	// KeyID is empty where the key lives on with other secrets.
	KeyID  string `json:"key_id,omitempty"`
	SHA256 []byte `json:"sha256"`
	// Epoch and Version are of the release that had the secret no more: releases before
	// it don't serve it, a later one may. Both 0: it was revoked, for ever.
	Epoch   int64 `json:"epoch,omitempty"`
	Version int64 `json:"version,omitempty"`
}

// holds tells whether the secret is refused under a release.
func (t taken) holds(release *policyv1.Release) bool {
	return t.Version == 0 && t.Epoch == 0 || newer(t.Epoch, t.Version, release.GetEpoch(), release.GetVersion())
}

type secretName struct{ keyID, sha256 string }

func (t taken) name() secretName { return secretName{t.KeyID, string(t.SHA256)} }

// memory is what was taken away from keys, as far as this agent ever learned it,
// whatever a slot, a set or a restored control plane says later. It only takes
// rights away: nobody needs to sign it. On disk it is a file of lines, each the CRC-32C
// of an entry's JSON in hex, a space and the JSON; what is damaged is left out.
type memory struct {
	path    string
	bound   int
	entries []taken
	at      map[secretName]int // index in entries
	unsaved []byte             // lines that are not on disk
}

// openMemory returns what can be read, also beside an error.
func openMemory(path string) (*memory, error) {
	m := &memory{path: path, bound: maxRemembered, at: make(map[secretName]int)}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("read revoked keys: %w", err)
	}
	damaged := 0
	for line := range bytes.Lines(content) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		entry, ok := parseTaken(line)
		if !ok {
			damaged++
			continue
		}
		m.put(entry)
	}
	if err := m.shrink(); err != nil {
		return m, err
	}
	if damaged > 0 {
		return m, fmt.Errorf("%s: %w: %d lines are left out", path, errDamaged, damaged)
	}
	return m, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (t taken) line() []byte {
	text, _ := json.Marshal(t) // of text and numbers: it does not fail
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text)
}

func parseTaken(line []byte) (t taken, ok bool) {
	sum, text, found := bytes.Cut(line, []byte(" "))
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if !found || err != nil || uint32(want) != crc32.Checksum(text, castagnoli) {
		return taken{}, false
	}
	err = json.Unmarshal(text, &t)
	return t, err == nil && len(t.SHA256) == 32
}

// put tells whether the entry says more than is known.
func (m *memory) put(t taken) bool {
	i, known := m.at[t.name()]
	if !known {
		m.at[t.name()] = len(m.entries)
		m.entries = append(m.entries, t)
		return true
	}
	was := m.entries[i]
	forEver := was.Version == 0 && was.Epoch == 0
	if forEver || t.Version != 0 && !newer(t.Epoch, t.Version, was.Epoch, was.Version) {
		return false
	}
	m.entries[i] = t
	return true
}

// add remembers at once, then on disk, and tells whether any of it is news. What could not
// be stored is tried again with the next call.
func (m *memory) add(all []taken) (news bool, err error) {
	for _, t := range all {
		if m.put(t) {
			m.unsaved, news = append(m.unsaved, t.line()...), true
		}
	}
	if len(m.unsaved) == 0 {
		return news, nil
	}
	if err := appendFile(m.path, append([]byte("\n"), m.unsaved...)); err != nil { // a torn line before it ends here
		return news, fmt.Errorf("remember revoked keys: %w", err)
	}
	m.unsaved = nil
	if len(m.entries) > m.bound+m.bound/4 {
		err = m.shrink()
	}
	return news, err
}

// shrink forgets the oldest entries beyond the bound.
func (m *memory) shrink() error {
	if len(m.entries) <= m.bound {
		return nil
	}
	m.entries = slices.Clone(m.entries[len(m.entries)-m.bound:])
	clear(m.at)
	var lines []byte
	for i, t := range m.entries {
		m.at[t.name()] = i
		lines = append(lines, t.line()...)
	}
	return writeFile(m.path, lines)
}

// over is the set that holds under a release: the signed one and all that is remembered.
func (m *memory) over(release *policyv1.Release, signed *policyv1.Revocations) *policyv1.Revocations {
	have := make(map[secretName]bool, len(signed.GetRevocations()))
	for _, r := range signed.GetRevocations() {
		have[secretName{r.GetKeyId(), string(r.GetKeySha256())}] = true
	}
	both := &policyv1.Revocations{
		OrganizationId: signed.GetOrganizationId(), GatewayId: signed.GetGatewayId(),
		Epoch: signed.GetEpoch(), Version: signed.GetVersion(), Revocations: slices.Clone(signed.GetRevocations()),
	}
	for _, t := range m.entries {
		if !have[t.name()] && t.holds(release) {
			both.Revocations = append(both.Revocations, &policyv1.Revocation{KeyId: t.KeyID, KeySha256: t.SHA256})
		}
	}
	return both
}
