package controlplane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/signing"
	"github.com/weirhq/weir/controlplane/internal/vault"
)

// resting are the tables whose secrets the house key wraps.
var resting = []house.Rest{signing.Rest, audit.Rest, vault.Rest}

// KeysList prints the house keys with how many secrets each wraps, and every
// signing key with its state.
func (o *Operator) KeysList(ctx context.Context) error {
	counts, err := o.wrappedBy(ctx)
	if err != nil {
		return err
	}
	for i, id := range o.house.IDs() {
		role := "older"
		if i == 0 {
			role = "newest"
		}
		o.say("house %s %s wraps %s", id, role, plural(counts[id], "secret"))
		delete(counts, id)
	}
	missing := len(counts) > 0
	for id, count := range counts {
		o.say("house %s MISSING from the file, wraps %s", id, plural(count, "secret"))
	}
	names, err := organizationNames(ctx, readmodel.New(o.db))
	if err != nil {
		return err
	}
	keys, err := signing.New(o.db, o.house).List(ctx, uuid.NullUUID{})
	for _, k := range keys {
		o.say("signing %s %s %s made %s", called(names, k.OrganizationID), k.ID, k.State, k.CreatedAt.UTC().Format(time.RFC3339))
	}
	if err == nil && missing {
		err = fault.New(fault.Precondition, "what those house keys wrap can't be read: put them back into the file (docs/keys.md)")
	}
	return err
}

func (o *Operator) wrappedBy(ctx context.Context) (map[string]int64, error) {
	total := make(map[string]int64)
	for _, rest := range resting {
		counts, err := house.Count(ctx, o.db, rest)
		if err != nil {
			return nil, err
		}
		for id, count := range counts {
			total[id] += int64(count)
		}
	}
	return total, nil
}

// AddHouseKey makes a new key the newest of the file.
func (o *Operator) AddHouseKey() error {
	id, err := o.house.Add()
	if err != nil {
		return err
	}
	o.say("house key %s is the newest of the file; copy the file to every process, then run keys rotate-house", id)
	return nil
}

// RotateHouse wraps every secret at rest under the newest house key. Killed, it
// goes on where it was when it is run again.
func (o *Operator) RotateHouse(ctx context.Context) error {
	newest := o.house.IDs()[0]
	for _, rest := range resting {
		n, err := o.house.Rewrap(ctx, o.db, rest)
		if err != nil {
			return err
		}
		o.say("%s: %s wrapped anew under %s", rest.Table, plural(int64(n), "row"), newest)
	}
	counts, err := o.wrappedBy(ctx)
	if err != nil {
		return err
	}
	for _, id := range o.house.IDs()[1:] {
		if counts[id] == 0 {
			o.say("house key %s wraps nothing any more; once every process has the new file, run keys drop-house %s", id, id)
		}
	}
	return nil
}

// DropHouseKey removes a key that wraps nothing from the file.
func (o *Operator) DropHouseKey(ctx context.Context, id string) error {
	counts, err := o.wrappedBy(ctx)
	if err != nil {
		return err
	}
	if counts[id] > 0 {
		return fault.New(fault.Precondition, "house key %s wraps %s still: run keys rotate-house first", id, plural(counts[id], "secret"))
	}
	if err := o.house.Drop(id); err != nil {
		return err
	}
	o.say("house key %s is gone from the file; backups of Postgres from before need it, keep it apart for as long as them", id)
	return nil
}

// RotateSigning announces a new signing key to the agents of one organization, or
// of all where name is empty.
func (o *Operator) RotateSigning(ctx context.Context, name string) error {
	keys := signing.New(o.db, o.house)
	return o.each(ctx, name, func(id uuid.UUID, called string) error {
		announced, err := keys.Announce(ctx, id)
		if err != nil {
			return err
		}
		o.say("%s: %s is announced; when all agents know it, run keys retire-signing", called, announced)
		return nil
	})
}

// RetireSigning lets the announced keys take over, unless agents don't know them.
func (o *Operator) RetireSigning(ctx context.Context, name string, force bool) error {
	keys, waiting := signing.New(o.db, o.house), 0
	err := o.each(ctx, name, func(id uuid.UUID, called string) error {
		active, lagging, err := keys.Retire(ctx, id, force)
		if nothing := (*fault.Error)(nil); name == "" && errors.As(err, &nothing) && nothing.Reason == "nothing_announced" {
			return nil
		}
		if err != nil {
			return err
		}
		for _, agent := range lagging {
			o.say("%s: agent %s (%s) does not know the new key; last seen %s", called, agent.Name, agent.AgentID, seen(agent.LastSeenAt))
		}
		if len(lagging) > 0 && !force {
			waiting++
			return nil
		}
		o.say("%s: %s signs now; the key before it is retired", called, active)
		return nil
	})
	if err == nil && waiting > 0 {
		err = fault.New(fault.Precondition, "%s not switched: bring those agents online, revoke those that are gone (GatewayService/RevokeAgent), or give --force and enrol them anew", plural(int64(waiting), "organization"))
	}
	return err
}

// RotateAudit makes a new key for audit links.
func (o *Operator) RotateAudit(ctx context.Context) error {
	id, err := audit.AddKey(ctx, o.db, o.house)
	if err != nil {
		return err
	}
	o.say("audit key %s is the newest; restart every process so that it is used", id)
	return nil
}

func (o *Operator) each(ctx context.Context, name string, do func(id uuid.UUID, called string) error) error {
	names, err := organizationNames(ctx, readmodel.New(o.db))
	if err != nil {
		return err
	}
	if name != "" {
		id, err := findOrganization(ctx, readmodel.New(o.db), name)
		if err != nil {
			return err
		}
		return do(id, called(names, id))
	}
	ids := make([]uuid.UUID, 0, len(names))
	for id := range names {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(names[a], names[b]) })
	for _, id := range ids {
		if err := do(id, names[id]); err != nil {
			return fmt.Errorf("%s: %w", names[id], err)
		}
	}
	return nil
}

func seen(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
