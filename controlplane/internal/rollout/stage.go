package rollout

import (
	"github.com/google/uuid"
)

// Track is which of a gateway's configurations an agent has.
type Track string

// Every agent is in one.
const (
	Stable    Track = "stable"
	Candidate Track = "candidate"
)

// Tracks are all of them.
var Tracks = []Track{Stable, Candidate}

// Stage is what the log says, at one version, of the configurations that a gateway's
// agents are to have. The zero Stage: all have the present one.
type Stage struct {
	Settings Settings
	// Since is the version at which the gateway's changes began to be staged; 0: they are not.
	Since int64
	// Last is the gateway's newest rollout or going back; nil: there was none.
	Last *Rollout
	// Floor is the version that last moved agents to Stable, by whatever rollout; 0: none did.
	Floor int64

	members map[uuid.UUID]bool
}

// NewStage prepares a stage for being asked about many agents.
func NewStage(settings Settings, since int64, last *Rollout, floor int64) Stage {
	s := Stage{Settings: settings, Since: since, Last: last, Floor: floor}
	if open := s.Open(); open != nil && open.staging() {
		s.members = make(map[uuid.UUID]bool, len(open.Agents))
		for _, id := range open.Agents {
			s.members[id] = true
		}
	}
	return s
}

// Open is the rollout or going back that goes on; nil: none does.
func (s Stage) Open() *Rollout {
	if s.Last == nil || !s.Last.Open() {
		return nil
	}
	return s.Last
}

// Pinned tells whether somebody went back.
func (s Stage) Pinned() bool { return s.Last != nil && s.Last.State == Pinned }

// Has tells whether the track has a configuration of its own.
func (s Stage) Has(t Track) bool { return t == Stable || s.members != nil }

// TrackOf an agent. One that no rollout names, such as a new one, is in Stable.
func (s Stage) TrackOf(agent uuid.UUID) Track {
	if s.members[agent] {
		return Candidate
	}
	return Stable
}

// Configuration is the version of the log whose configuration a track has; 0: the
// present one. Ask for tracks only that there are.
func (s Stage) Configuration(t Track) int64 {
	switch open := s.Open(); {
	case open != nil && t == Candidate:
		return open.Candidate
	case open != nil:
		return open.Base
	case !s.Settings.Staged():
		return 0
	case s.Last == nil || s.Last.Version < s.Since:
		return s.Since
	case s.Last.State == Finished:
		return s.Last.Candidate
	}
	return s.Last.Base
}

// FloorOf a track is the version that its releases must have at least: agents that
// came from the other track may hold any older one.
func (s Stage) FloorOf(t Track) int64 {
	if open := s.Open(); open != nil && t == Candidate {
		return open.CandidateSince
	}
	return s.Floor
}
