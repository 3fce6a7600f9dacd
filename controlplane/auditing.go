package controlplane

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

const progressEvery = 5 * time.Second

// AuditVerify looks at the chain of one organization, or of all where name is
// empty, and prints a line for each that is as it was recorded. expect is an
// anchor of that one organization that was kept, or empty. An error means that
// something is wrong, or that nobody can tell.
func (o *Operator) AuditVerify(ctx context.Context, name, expect string) error {
	options, err := verifyOptions(name, expect)
	if err != nil {
		return err
	}
	ring, err := audit.OpenKeyring(ctx, o.db, o.house)
	if err != nil {
		return err
	}
	ids, names, err := o.audited(ctx, name)
	if err != nil {
		return err
	}
	wrong := 0
	for _, id := range ids {
		told := time.Now()
		options.Progress = func(events int64) {
			if time.Since(told) >= progressEvery {
				told = time.Now()
				o.logger.Info("verifying", "organization", called(names, id), "events", events)
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

func verifyOptions(name, expect string) (audit.Options, error) {
	if expect == "" {
		return audit.Options{}, nil
	}
	if name == "" {
		return audit.Options{}, fault.New(fault.Invalid, "--expect is about one organization: give --organization too")
	}
	anchor, err := audit.ParseAnchor(expect)
	return audit.Options{Expect: []audit.Anchor{anchor}}, err
}

func (o *Operator) printAudit(name string, result audit.Result) {
	for _, finding := range result.Findings {
		o.say("WRONG %s %s", name, finding)
	}
	if len(result.Findings) > 0 {
		return
	}
	late := ""
	if result.Late > 0 {
		late = " (" + plural(result.Late, "event") + " chained after they were recorded, by audit begin)"
	}
	o.say("ok %s %s%s", name, result.Anchor, late)
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
