package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Result is what a look at one organization's chain found.
type Result struct {
	OrganizationID uuid.UUID
	// Head is the version of the log's head.
	Head int64
	// Anchor names the newest link; keep it outside of Postgres.
	Anchor Anchor
	// Late counts events that were chained by command, after they were recorded.
	Late int64
	// First and Last are the versions that were looked at, whole links.
	First, Last int64
	// Findings say in words what is wrong; none: the log is as it was recorded. More
	// counts those beyond the first 1,000.
	Findings []Finding
	More     int64
}

// maxFindings bounds what a log that was edited everywhere takes in memory.
const maxFindings = 1000

// Finding is something wrong with the versions First to Last.
type Finding struct {
	First, Last int64
	What        string
}

func (f Finding) String() string {
	if f.First == f.Last {
		return fmt.Sprintf("version %d: %s", f.First, f.What)
	}
	return fmt.Sprintf("versions %d to %d: %s", f.First, f.Last, f.What)
}

// Options of a Verify; all may be zero.
type Options struct {
	// Expect are anchors that were kept.
	Expect []Anchor
	// First and Last bound the versions to look at; 0: no bound. What is before them
	// is believed, but for an anchor of it.
	First, Last int64
	// Progress is told now and then how many events were looked at, of how many.
	Progress func(events, of int64)
}

// Verify looks at the events and links of an organization, all at one instant. In
// memory are 100 of each at once. An anchor that says nothing about the versions
// looked at is an Invalid fault.
func Verify(ctx context.Context, db *postgres.DB, ring *Keyring, organization uuid.UUID, options Options) (Result, error) {
	v := &verifier{ring: ring, options: options, result: Result{OrganizationID: organization}}
	err := db.Snapshot(ctx, organization, func(tx pgx.Tx) error { return v.run(ctx, tx) })
	if err != nil {
		return Result{}, fmt.Errorf("verify organization %s: %w", organization, err)
	}
	return v.result, nil
}

type verifier struct {
	ring    *Keyring
	options Options
	events  stream[eventlog.Event]
	chain   stream[link]
	result  Result
	seen    int64
	// links that were looked at
	links int
	// of are how many events there are to look at.
	of int64
	// next is the first version that no link covered yet.
	next int64
	// The code of the link before, and of what the links chained late follow.
	previous, base []byte
	anchored       map[int64]bool
}

func (v *verifier) run(ctx context.Context, tx pgx.Tx) error {
	v.anchored = make(map[int64]bool)
	organization := v.result.OrganizationID
	head := `SELECT head FROM organization_head WHERE organization_id = $1`
	err := tx.QueryRow(ctx, head, organization).Scan(&v.result.Head)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read head: %w", err)
	}
	from, to, err := v.begin(ctx, tx)
	if err != nil {
		return err
	}
	for _, declare := range []string{declareEvents, declareLinks} {
		if _, err := tx.Exec(ctx, declare, pgx.QueryExecModeSimpleProtocol, organization, from, to); err != nil {
			return fmt.Errorf("open cursor: %w", err)
		}
	}
	v.events = stream[eventlog.Event]{tx: tx, cursor: "audit_event", scan: scanEvent}
	v.chain = stream[link]{tx: tx, cursor: "audit_chain", scan: scanLink}
	for {
		l, err := v.chain.peek(ctx)
		if err != nil {
			return err
		}
		if l == nil {
			break
		}
		if err := v.link(ctx, *l); err != nil {
			return err
		}
		v.chain.skip()
	}
	if err := v.tail(ctx); err != nil {
		return err
	}
	v.missedAnchors()
	return nil
}

// link checks one link and the events that it covers.
func (v *verifier) link(ctx context.Context, l link) error {
	follows := string(l.previous) == string(v.previous) || string(l.previous) == string(v.base)
	switch {
	case l.first > v.next && follows:
		v.find(v.next, l.first-1, "recorded without a link, by a release that did not chain or past it; chain them with `audit begin` if you know why")
	case l.first > v.next:
		v.find(v.next, l.first-1, "their links were removed")
	case l.first < v.next:
		v.find(l.first, min(l.last, v.next-1), "more than one link covers them")
	case !follows:
		v.find(l.first, l.last, "their link does not follow the link before it")
	}
	if err := v.unlinked(ctx, l.first); err != nil {
		return err
	}
	if err := v.covered(ctx, l); err != nil {
		return err
	}
	if l.late {
		v.result.Late += l.last - l.first + 1
	} else {
		v.base = l.code
	}
	v.links++
	v.previous, v.next = l.code, max(v.next, l.last+1)
	v.result.Anchor = Anchor{Version: l.last, Code: l.code}
	v.expected(l)
	return nil
}

// covered checks the events of a link, unless the link itself is not to be believed.
func (v *verifier) covered(ctx context.Context, l link) error {
	if fault := v.authentic(l); fault != "" {
		v.find(l.first, l.last, fault)
		return v.unlinked(ctx, l.last+1)
	}
	for version := max(l.first, v.next); version <= l.last; version++ {
		if err := v.event(ctx, l, version); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) authentic(l link) string {
	key, ok := v.ring.keys[l.keyID]
	if !ok {
		return fmt.Sprintf("their link names audit key %s, which is not there", l.keyID)
	}
	if int64(len(l.digests)) != 32*(l.last-l.first+1) || string(l.authenticate(key)) != string(l.code) {
		return "their link was edited or forged"
	}
	return ""
}

// unlinked passes over events below version that no link covers; that there are
// such versions was said already.
func (v *verifier) unlinked(ctx context.Context, version int64) error {
	for {
		e, err := v.events.peek(ctx)
		if err != nil || e == nil || e.Version >= version {
			return err
		}
		if e.Version < v.next {
			v.find(e.Version, e.Version, "a row was added: there is another one with that version, or its link is before it")
		}
		v.took()
	}
}

// event checks the row of one version against its link.
func (v *verifier) event(ctx context.Context, l link, version int64) error {
	for {
		e, err := v.events.peek(ctx)
		if err != nil {
			return err
		}
		switch {
		case e == nil || e.Version > version:
			v.find(version, version, "its row was removed")
			return nil
		case e.Version < version:
			v.find(e.Version, e.Version, "a row was added: there is another one with that version")
			v.took()
			continue
		}
		if sum := Digest(*e); string(sum[:]) != string(l.digest(version)) {
			v.find(version, version, fmt.Sprintf("its row was edited: %s of %s by %q is not what was recorded", e.Kind, e.Subject, e.Actor))
		}
		v.took()
		return nil
	}
}

func (v *verifier) took() {
	v.events.skip()
	if v.seen++; v.seen%fetchPage == 0 && v.options.Progress != nil {
		v.options.Progress(v.seen, v.of)
	}
}

// tail looks at what comes after the last link.
func (v *verifier) tail(ctx context.Context) error {
	last, end := v.next-1, v.result.Last
	for {
		e, err := v.events.peek(ctx)
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		if e.Version < v.next || e.Version > v.result.Head {
			v.find(e.Version, e.Version, fmt.Sprintf("a row was added: the log's head is %d", v.result.Head))
		}
		v.took()
	}
	switch {
	case end > last && v.links == 0:
		v.find(v.result.First, end, "the organization is not chained; begin with `audit begin` if it is older than audit chains")
	case end > last:
		v.find(v.next, end, "recorded without a link, by a release that did not chain or past it; chain them with `audit begin` if you know why")
	case v.result.Head < last:
		v.find(v.result.Head+1, last, fmt.Sprintf("the log's head was set back to %d", v.result.Head))
	}
	return nil
}

// find adds to the finding before where it goes on.
func (v *verifier) find(first, last int64, what string) {
	if n := len(v.result.Findings); n > 0 {
		if before := &v.result.Findings[n-1]; before.What == what && before.Last+1 == first {
			before.Last = last
			return
		}
	}
	if len(v.result.Findings) == maxFindings {
		v.result.More++
		return
	}
	v.result.Findings = append(v.result.Findings, Finding{First: first, Last: last, What: what})
}

// expected compares a link with the anchors that were kept.
func (v *verifier) expected(l link) {
	for _, anchor := range v.options.Expect {
		if anchor.Version != l.last {
			continue
		}
		v.anchored[l.last] = true
		if string(anchor.Code) != string(l.code) {
			v.find(l.last, l.last, fmt.Sprintf("the chain is another one than when the anchor was kept: it has %s, the anchor says %s",
				hex.EncodeToString(l.code), hex.EncodeToString(anchor.Code)))
		}
	}
}

func (v *verifier) missedAnchors() {
	for _, anchor := range v.options.Expect {
		if v.anchored[anchor.Version] || anchor.Version < v.result.First {
			continue
		}
		if anchor.Version >= v.next {
			v.find(v.next, anchor.Version, "they were there when the anchor was kept: the log was cut off, or restored from before")
		} else {
			v.find(anchor.Version, anchor.Version, "no link ends here, but one did when the anchor was kept")
		}
	}
}
