package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// opening is an organization that a person with a verified address may join.
type opening struct {
	organization uuid.UUID
	// member holds the address already; uuid.Nil: its domain is let in.
	member uuid.UUID
}

// join takes every opening: who vouched for the address vouches for the person.
func (s *Members) join(ctx context.Context, p authn.Person) error {
	openings, err := s.openings(ctx, p)
	if err != nil {
		return err
	}
	for _, o := range openings {
		if err := s.take(ctx, p, o); err != nil {
			return fmt.Errorf("organization %s: %w", o.organization, err)
		}
	}
	return nil
}

// openings looks through every organization: nobody knows yet which one it is.
// A domain lets nobody in who was there before, removed or not; nobody joins what is
// suspended.
func (s *Members) openings(ctx context.Context, p authn.Person) ([]opening, error) {
	const query = `WITH open AS (SELECT organization_id FROM organization WHERE valid_to IS NULL AND suspended_at IS NULL)
		SELECT organization_id, member_id FROM member_person JOIN open USING (organization_id)
			WHERE email = $1 AND issuer IS NULL AND removed_at IS NULL
		UNION ALL SELECT d.organization_id, NULL FROM join_domain d JOIN open USING (organization_id)
			WHERE d.name = $2 AND d.valid_to IS NULL
			AND NOT EXISTS (SELECT FROM member_person p WHERE p.organization_id = d.organization_id
				AND (p.email = $1 OR (p.issuer = $3 AND p.subject = $4)))
		LIMIT $5`
	var found []opening
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, strings.ToLower(p.Email), domainOf(p.Email), p.Issuer, p.Subject, maxMemberships)
		if err != nil {
			return err
		}
		var organization uuid.UUID
		var id *uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&organization, &id}, func() error {
			o := opening{organization: organization}
			if id != nil {
				o.member = *id
			}
			found = append(found, o)
			return nil
		})
		return err
	})
	return found, err
}

// errClosed ends a commit that has nothing to do any more.
var errClosed = errors.New("there is no opening any more")

// take decides in the organization itself, on what is true there now.
func (s *Members) take(ctx context.Context, p authn.Person, o opening) error {
	id := o.member
	if id == uuid.Nil {
		var err error
		if id, err = uuid.NewV7(); err != nil {
			return fmt.Errorf("make member id: %w", err)
		}
	}
	origin := command.Origin{Organization: o.organization, Actor: authn.Principal{Kind: authn.Member, ID: id}.Actor()}
	_, err := s.runner.Commit(ctx, origin, func(ctx context.Context, v readmodel.View) (command.Plan, error) {
		here, err := present(ctx, v, p, o.member == uuid.Nil)
		if err != nil {
			return command.Plan{}, err
		}
		if here {
			return command.Plan{}, errClosed
		}
		if o.member == uuid.Nil {
			return byDomain(ctx, v, p, id)
		}
		return byAddress(ctx, v, p, id)
	})
	if errors.Is(err, errClosed) || reasonOf(err) == organization.ReasonSuspended {
		return nil
	}
	return err
}

func reasonOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Reason
	}
	return ""
}

// present tells whether the person is a member already, with this address or
// another; ever: or was one, or has an address that is a member's.
func present(ctx context.Context, v readmodel.View, p authn.Person, ever bool) (bool, error) {
	const query = `SELECT EXISTS (SELECT FROM member_person WHERE organization_id = $1
		AND (issuer = $2 AND subject = $3 OR $4 AND email = $5) AND ($4 OR removed_at IS NULL))`
	var here bool
	err := v.Tx.QueryRow(ctx, query, v.Organization, p.Issuer, p.Subject, ever, strings.ToLower(p.Email)).Scan(&here)
	if err != nil {
		return false, fmt.Errorf("look for a person: %w", err)
	}
	return here, nil
}

// byAddress is for who is invited, or was named as the first owner.
func byAddress(ctx context.Context, v readmodel.View, p authn.Person, id uuid.UUID) (command.Plan, error) {
	m, err := readmodel.Members.Find(ctx, v, id)
	if err != nil {
		return command.Plan{}, err
	}
	plan := command.Plan{Changes: m.Join(time.Now()), Parts: []pglog.Part{bindLogin(v.Organization, id, p)}}
	if len(plan.Changes) == 0 && !m.Active() {
		return command.Plan{}, errClosed
	}
	return plan, nil
}

func byDomain(ctx context.Context, v readmodel.View, p authn.Person, id uuid.UUID) (command.Plan, error) {
	domains, err := readmodel.JoinDomains.All(ctx, v, readmodel.Match{Column: "name", Value: domainOf(p.Email)})
	if err != nil {
		return command.Plan{}, err
	}
	if len(domains) == 0 {
		return command.Plan{}, errClosed
	}
	changes, err := member.Add(id, domains[0].Role, domains[0].ID)
	return command.Plan{Changes: changes, Parts: []pglog.Part{addLogin(v.Organization, id, p)}}, err
}
