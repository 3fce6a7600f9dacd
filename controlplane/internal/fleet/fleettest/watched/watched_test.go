package watched_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest/watched"
)

// truth has the version as its root, and as many revocations.
type truth struct{}

func (truth) Root(version int64) ([]byte, error) {
	if version > 9 {
		return nil, errors.New("no such version")
	}
	return []byte{byte(version)}, nil
}

func (truth) RevocationVersion(version int64) (int64, error) { return version, nil }

func at(epoch, version int64) watched.Position {
	return watched.Position{Epoch: epoch, Version: version, Root: []byte{byte(version)}, RevocationVersion: version}
}

func TestCheck(t *testing.T) {
	bent := func(bend func(*watched.Position)) watched.Position {
		p := at(1, 5)
		bend(&p)
		return p
	}
	for name, c := range map[string]struct {
		seen []watched.Position
		want string // empty: nothing is wrong
	}{
		"grows":                 {[]watched.Position{at(1, 1), at(1, 3), at(1, 3), at(2, 2), at(2, 5)}, ""},
		"version_goes_back":     {[]watched.Position{at(1, 3), at(1, 2), at(1, 5)}, "from epoch 1 version 3 to epoch 1 version 2"},
		"epoch_goes_back":       {[]watched.Position{at(2, 3), at(1, 5)}, "from epoch 2"},
		"revocations_go_back":   {[]watched.Position{at(1, 3), bent(func(p *watched.Position) { p.RevocationVersion = 1 }), at(1, 5)}, "from revocations 3 to 1"},
		"another_root":          {[]watched.Position{at(1, 3), bent(func(p *watched.Position) { p.Root = []byte{9} }), at(2, 5)}, "the log adds up to"},
		"ends_too_early":        {[]watched.Position{at(1, 3)}, "ends at version 3"},
		"never_sees_anything":   {nil, "ends at version 0"},
		"revocations_too_early": {[]watched.Position{bent(func(p *watched.Position) { p.RevocationVersion = 4 })}, "revocations 4"},
		"ahead_of_the_log":      {[]watched.Position{at(1, 5), at(1, 6)}, "the log has 5"},
		"truth_is_not_known":    {[]watched.Position{at(1, 10)}, "no such version"},
	} {
		t.Run(name, func(t *testing.T) {
			run := &watched.Run{}
			run.Committed(5)
			for _, p := range c.seen {
				run.Stream("a")(p) // each on a stream of its own
			}
			if len(c.seen) == 0 {
				run.Stream("a")
			}
			var text strings.Builder
			for _, fault := range run.Check(truth{}) {
				text.WriteString(fault.Error() + "\n")
			}
			if (c.want == "") != (text.Len() == 0) || !strings.Contains(text.String(), c.want) {
				t.Errorf("faults %q, want %q", text.String(), c.want)
			}
			caught, err := run.Caught(truth{})
			if ends := len(c.seen) > 0 && c.seen[len(c.seen)-1].Version == 5 && c.seen[len(c.seen)-1].RevocationVersion == 5; err == nil && caught != ends {
				t.Errorf("caught up: %t", caught)
			}
		})
	}
}
