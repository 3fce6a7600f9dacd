package audit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

// A cursor shows every row there is: pages by key would pass over one that was
// put in twice.
const (
	declareEvents = `DECLARE audit_event NO SCROLL CURSOR FOR ` + selectEvents + ` WHERE organization_id = $1 AND version BETWEEN $2 AND $3 ORDER BY version`
	declareLinks  = `DECLARE audit_chain NO SCROLL CURSOR FOR
		SELECT organization_id, first, last, late, key_id, previous, digests, code
		FROM audit_link WHERE organization_id = $1 AND last BETWEEN $2 AND $3 ORDER BY last`
)

// selectEvents is what scanEvent reads.
const selectEvents = `SELECT organization_id, version, kind, subject, payload::text, actor, request_id, recorded_at,
		client_address, user_agent FROM event`

// fetchPage is how many rows are in memory at once; an event can have a megabyte.
const fetchPage = 100

// stream reads a cursor's rows one by one.
type stream[T any] struct {
	tx     pgx.Tx
	cursor string
	scan   func(pgx.CollectableRow) (T, error)
	page   []T
	ended  bool
}

// peek returns the next row and leaves it; nil: there is none.
func (s *stream[T]) peek(ctx context.Context) (*T, error) {
	if len(s.page) == 0 && !s.ended {
		rows, err := s.tx.Query(ctx, fmt.Sprintf("FETCH %d FROM %s", fetchPage, s.cursor))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", s.cursor, err)
		}
		if s.page, err = pgx.CollectRows(rows, s.scan); err != nil {
			return nil, fmt.Errorf("read %s: %w", s.cursor, err)
		}
		s.ended = len(s.page) < fetchPage
	}
	if len(s.page) == 0 {
		return nil, nil
	}
	return &s.page[0], nil
}

func (s *stream[T]) skip() { s.page = s.page[1:] }

// scanEvent leaves the body alone: a payload that was edited may not decode.
func scanEvent(r pgx.CollectableRow) (e eventlog.Event, err error) {
	var payload string
	err = r.Scan(&e.OrganizationID, &e.Version, &e.Kind, &e.Subject, &payload, &e.Actor, &e.RequestID, &e.RecordedAt,
		&e.Source.Address, &e.Source.UserAgent)
	e.Payload = []byte(payload)
	return e, err
}

func scanLink(r pgx.CollectableRow) (l link, err error) {
	err = r.Scan(&l.organization, &l.first, &l.last, &l.late, &l.keyID, &l.previous, &l.digests, &l.code)
	return l, err
}
