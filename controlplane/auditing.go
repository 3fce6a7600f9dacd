package controlplane

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

const progressEvery = 5 * time.Second

// Verification says what AuditVerify looks at; all may be zero.
type Verification struct {
	// Organization is a name or id; empty: all.
	Organization string
	// Expect is an anchor of that one organization that was kept.
	Expect string
	// From and To bound the versions of that one organization; 0: no bound.
	From, To int64
}

// AuditVerify looks at the chain of one organization or of all, and prints a line
// for each that is as it was recorded. An error means that something is wrong, or
// that nobody can tell.
func (o *Operator) AuditVerify(ctx context.Context, what Verification) error {
	options, err := what.options()
	if err != nil {
		return err
	}
	ring, err := audit.OpenKeyring(ctx, o.db, o.house)
	if err != nil {
		return err
	}
	ids, names, err := o.audited(ctx, what.Organization)
	if err != nil {
		return err
	}
	wrong := 0
	for _, id := range ids {
		told := time.Now()
		options.Progress = func(events, of int64) {
			if time.Since(told) >= progressEvery {
				told = time.Now()
				o.logger.Info("verifying", "organization", called(names, id), "events", events, "of", of)
			}
		}
		result, err := audit.Verify(ctx, o.db, ring, id, options)
		if err != nil {
			return err
		}
		if result.Head == 0 && len(result.Findings) == 0 { // named by the caller
			return fault.New(fault.NotFound, "organization %s has no events: it never had any, or was removed whole; compare with an anchor", id)
		}
		if o.printAudit(called(names, id), result); len(result.Findings) > 0 {
			wrong++
		}
	}
	if wrong > 0 {
		return fault.New(fault.Precondition, "the audit chain of %d of %d organizations is not whole; docs/keys.md says what to do", wrong, len(ids))
	}
	return nil
}

func (what Verification) options() (audit.Options, error) {
	options := audit.Options{First: what.From, Last: what.To}
	if what.Organization == "" && (what.Expect != "" || what.From != 0 || what.To != 0) {
		return options, fault.New(fault.Invalid, "--expect, --from and --to are about one organization: give --organization too")
	}
	if what.From < 0 || what.To < 0 || what.To > 0 && what.From > what.To {
		return options, fault.New(fault.Invalid, "--from and --to: want versions from 1 on, the first not above the second")
	}
	if what.Expect == "" {
		return options, nil
	}
	anchor, err := audit.ParseAnchor(what.Expect)
	options.Expect = []audit.Anchor{anchor}
	return options, err
}

func (o *Operator) printAudit(name string, result audit.Result) {
	for _, finding := range result.Findings {
		o.say("WRONG %s %s", name, finding)
	}
	if result.More > 0 {
		o.say("WRONG %s %s more, not shown", name, plural(result.More, "finding"))
	}
	if len(result.Findings) > 0 {
		return
	}
	late := ""
	if result.Late > 0 {
		late = " (" + plural(result.Late, "event") + " chained after they were recorded, by audit begin)"
	}
	ranged := ""
	if result.First > 1 || result.Last < result.Head {
		ranged = fmt.Sprintf(" (of %d versions, %d to %d were looked at)", result.Head, result.First, result.Last)
	}
	o.say("ok %s %s%s%s", name, result.Anchor, late, ranged)
}

// AuditBegin chains what releases from before recorded.
func (o *Operator) AuditBegin(ctx context.Context, name string) error {
	ring, err := audit.NewKeyring(ctx, o.db, o.house)
	if err != nil {
		return err
	}
	ids, names, err := o.audited(ctx, name)
	if err != nil {
		return err
	}
	for _, id := range ids {
		chained, err := audit.Begin(ctx, o.db, ring, id)
		if err != nil {
			return err
		}
		o.say("%s: %s chained", called(names, id), plural(chained, "event"))
	}
	return nil
}

// audited are the organizations that have anything to verify, in the order of
// their names.
func (o *Operator) audited(ctx context.Context, name string) ([]uuid.UUID, map[uuid.UUID]string, error) {
	names, err := organizationNames(ctx, readmodel.New(o.db))
	if err != nil {
		return nil, nil, err
	}
	if name != "" {
		id, err := findOrganization(ctx, readmodel.New(o.db), name)
		return []uuid.UUID{id}, names, err
	}
	ids, err := audit.Organizations(ctx, o.db)
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int {
		if called(names, a) < called(names, b) {
			return -1
		}
		return 1
	})
	return ids, names, nil
}
