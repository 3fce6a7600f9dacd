package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// What one record may list: the targets of its route, and quotas. Like what callers say, whose
// bounds are the contract's, an agent that sends more is wrong or lies: its record is put aside, as with
// every text that is too long, and nothing of it is cut to fit.
const (
	maxCandidates = 64
	maxQuotas     = 1000 // that one request can go beyond
)

// kindRequest is the kind of what an application asked for.
const kindRequest = "request"

// candidate is why a target was, or was not, to be tried.
type candidate struct{ provider, model, verdict string }

// said is one thing that the caller says of the request.
type said struct{ name, value string }

// labels are ordered by name, so that every retry of a block is the same.
type labels []said

// addFacts takes over what the caller says of the request, and why targets were chosen.
func (r *row) addFacts(u *usagev1.UsageRecord) error {
	r.kind, r.endUser, r.runID = kindOf(u.GetKind()), u.GetEndUser(), u.GetRunId()
	return errors.Join(
		parseID("parent_request_id", u.GetParentRequestId(), &r.parent),
		atMost("end_user", batch.MaxCallerIDBytes, u.GetEndUser()),
		atMost("run_id", batch.MaxCallerIDBytes, u.GetRunId()),
		r.addLabels(u.GetLabels()),
		r.addCandidates(u.GetCandidates()),
		r.addQuotas(u),
	)
}

// addQuotas takes over what quotas, and a provider's own limits, did to the request.
func (r *row) addQuotas(u *usagev1.UsageRecord) error {
	if len(u.GetBeyondQuotaIds()) > maxQuotas {
		return fmt.Errorf("beyond %d quotas", len(u.GetBeyondQuotaIds()))
	}
	for _, id := range u.GetBeyondQuotaIds() {
		quota, err := uuid.FromBytes(id)
		if err != nil {
			return errors.New("beyond_quota_ids holds what is no UUID")
		}
		r.beyond = append(r.beyond, quota)
	}
	if id := u.GetRefusedByQuotaId(); len(id) > 0 {
		quota, err := uuid.FromBytes(id)
		if err != nil {
			return errors.New("refused_by_quota_id is no UUID")
		}
		r.refusedBy = quota
	}
	r.queuedUS = u.GetQueuedUs()
	return within("queued_us", r.queuedUS, maxCount)
}

func (r *row) addLabels(from []*usagev1.Label) error {
	if len(from) > batch.MaxLabels {
		return fmt.Errorf("%d labels", len(from))
	}
	for _, l := range from {
		if err := errors.Join(labelName(l.GetName()), atMost("a label's value", batch.MaxLabelValueBytes, l.GetValue())); err != nil {
			return err
		}
		r.labels = append(r.labels, said{l.GetName(), l.GetValue()})
	}
	slices.SortFunc(r.labels, func(a, b said) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(r.labels); i++ {
		if r.labels[i].name == r.labels[i-1].name {
			return errors.New("a label is there twice")
		}
	}
	return nil
}

func (r *row) addCandidates(of []*usagev1.Candidate) error {
	if len(of) > maxCandidates {
		return fmt.Errorf("%d candidates", len(of))
	}
	for _, c := range of {
		if err := short(c.GetProvider(), c.GetModel()); err != nil {
			return err
		}
		r.candidates = append(r.candidates, candidate{c.GetProvider(), c.GetModel(), verdicts.name(int32(c.GetVerdict()))})
	}
	return nil
}

func kindOf(k usagev1.Kind) string {
	if k == usagev1.Kind_KIND_UNSPECIFIED {
		return kindRequest
	}
	return kinds.name(int32(k))
}

func labelName(name string) error {
	other := strings.ContainsFunc(name, func(c rune) bool {
		return c != '-' && c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
	if name == "" || other {
		return errors.New("a label's name wants letters, digits and -._")
	}
	return atMost("a label's name", batch.MaxLabelNameBytes, name)
}

func atMost(what string, bytes int, text string) error {
	if len(text) > bytes {
		return fmt.Errorf("%s of %d bytes, at most %d", what, len(text), bytes)
	}
	return nil
}
