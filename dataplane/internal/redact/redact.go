// Package redact decides what usage holds of callers' own words: nothing else puts any of
// them into a record. It is no filter of texts: what a policy does not let through, by name,
// length and form, is left out. It does no I/O and keeps nothing.
package redact

import (
	"errors"
	"fmt"

	"github.com/weirhq/weir/proto/contract/batch"
	"github.com/weirhq/weir/proto/contract/label"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Words are what a caller says of its request. Routing goes by them as they are.
type Words struct {
	// User and Run are empty where nothing is said.
	User, Run string
	// Labels by the names that were sent, each once, in their order.
	Labels []Label
}

// Label is what a caller says of its request by a name.
type Label struct{ Name, Value string }

// Rules are what a gateway's policy lets into usage. They never change. None let in nothing.
type Rules struct {
	plainUsers bool
	labels     map[string]label.Rule
}

var errTwice = errors.New("there are two rules for it")

// NewRules compiles a policy's rules; faults are about those that are none.
func NewRules(users policyv1.EndUsers, labels []*policyv1.LabelRule) (rules *Rules, faults []error) {
	rules = &Rules{plainUsers: users == policyv1.EndUsers_END_USERS_PLAIN, labels: make(map[string]label.Rule, len(labels))}
	for _, l := range labels {
		rule, err := label.New(l.GetMaxBytes(), l.GetPattern())
		if _, twice := rules.labels[l.GetName()]; twice && err == nil {
			err = errTwice
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("label %q: %w", l.GetName(), err))
		}
		rules.labels[l.GetName()] = rule
	}
	return rules, faults
}

// Reason why something is left out.
type Reason int

const (
	// UserKeyless: there is no key to hash the user with.
	UserKeyless Reason = iota
	// RunPattern: the run has other characters than identifiers have.
	RunPattern
	// LabelName: usage may hold no label of the name.
	LabelName
	// LabelLength: the value is longer than usage may hold.
	LabelLength
	// LabelPattern: the value does not match the label's pattern.
	LabelPattern
	// Reasons is how many there are.
	Reasons
)

var reasons = [Reasons]string{"user_keyless", "run_pattern", "label_name", "label_length", "label_pattern"}

func (r Reason) String() string { return reasons[r] }

// Dropped is one thing that was left out.
type Dropped struct {
	Reason Reason
	// Label is its name, of A-Z a-z 0-9 . _ -; empty: it is no label.
	Label string
}

// Write puts into a record what it may hold of the words, and returns what it may not. hash
// is nil where there is no key.
func (r *Rules) Write(w *Words, hash *Hasher, to *usagev1.UsageRecord) (dropped []Dropped) {
	drop := func(why Reason, name string) { dropped = append(dropped, Dropped{why, name}) }
	to.EndUser, to.RunId, to.Labels = "", "", nil
	switch {
	case r.plainUsers:
		to.EndUser = w.User
	case w.User != "" && hash == nil:
		drop(UserKeyless, "")
	case w.User != "":
		to.EndUser = hash.Of(w.User)
	}
	if label.Plain(w.Run) && len(w.Run) <= batch.MaxCallerIDBytes {
		to.RunId = w.Run
	} else {
		drop(RunPattern, "")
	}
	for _, l := range w.Labels {
		switch rule, known := r.labels[l.Name]; {
		case !known:
			drop(LabelName, l.Name)
		case !rule.Fits(l.Value):
			drop(LabelLength, l.Name)
		case !rule.Matches(l.Value):
			drop(LabelPattern, l.Name)
		default:
			to.Labels = append(to.Labels, &usagev1.Label{Name: l.Name, Value: l.Value})
		}
	}
	return dropped
}

// Copy takes what one record holds of callers' words into another.
func Copy(to, from *usagev1.UsageRecord) {
	to.EndUser, to.RunId, to.Labels = from.EndUser, from.RunId, from.Labels
}
