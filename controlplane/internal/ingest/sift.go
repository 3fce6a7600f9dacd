package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
)

const (
	// refusedBefore is how often ClickHouse refuses a block before its rows are
	// looked at one by one.
	refusedBefore = 3
	// maxTrials bounds one search; what is refused beyond it goes as a whole.
	maxTrials = 5_000

	violatedConstraint = 469
)

var (
	errRefused = errors.New("clickhouse does not take this record")
)

// isRefusal tells a block that ClickHouse answered and did not take from silence.
// It may still be the server's fault: sift finds out. A lease that ran out is none, nor is
// a cluster's table into which another insert was under way.
func isRefusal(err error) bool {
	var said *driver.Exception
	return errors.As(err, &said) && !isLate(err) && !clickhouse.IsBusy(err)
}

// isLate tells that the lease of a block ran out, there or here.
func isLate(err error) bool {
	var said *driver.Exception
	if errors.As(err, &said) && !clickhouse.IsBusy(err) {
		return said.Code == violatedConstraint && strings.Contains(said.Message, "lease_not_over")
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// sift looks for the rows to blame when ClickHouse keeps refusing noted blocks. No
// insert of them may be on its way any more. What it finds is noted, together with
// the block that is left and its new token, and only then sent: a process that dies
// in between finds either the old block or the new one. When a row that is known to
// be good is refused too, it is the server, which is waited for.
func (p *partition) sift(ctx context.Context, blocks []block, refused refusals) (found bool, err error) {
	var left []block
	for _, b := range blocks {
		there, err := p.sink.stored(ctx, b.span, b.noted.month)
		if err != nil {
			return false, err
		}
		if there > 0 {
			continue
		}
		bad, err := p.search(ctx, b)
		if err != nil {
			return false, err
		}
		if len(bad) == 0 {
			continue
		}
		p.log.ErrorContext(ctx, "clickhouse does not take some records, they are put aside", "month", b.noted.month,
			"rows", len(b.rows), "refused", len(bad), "first_offset", b.span.first, "last_offset", b.span.last)
		left = append(left, b.without(append(refused[b.noted.month], bad...)))
	}
	if len(left) == 0 {
		return false, nil
	}
	return true, p.store.refuse(ctx, p.owner, left)
}

// without is the block that is left, with another token.
func (b block) without(refused []place) block {
	gone := map[place]bool{}
	for _, p := range refused {
		gone[p] = true
	}
	left := block{span: b.span, noted: b.noted}
	for _, r := range b.rows {
		if !gone[r.place()] {
			left.rows = append(left.rows, r)
		}
	}
	left.noted.rows, left.noted.refused, left.noted.token = len(left.rows), refused, b.span.token(b.noted.month, refused)
	return left
}

// search halves a block until the refused rows stand alone. Each is tried twice,
// with a row in between that is known to be good.
func (p *partition) search(ctx context.Context, b block) (bad []place, err error) {
	good := []placed{knownGood(b.rows[0])}
	trials := 0
	try := func(rows []placed) (refused bool, err error) {
		if err := p.store.renew(ctx, p.owner, p.topicID, p.number); err != nil {
			return false, err
		}
		trials++
		err = p.sink.try(ctx, b.trial(rows))
		if isRefusal(err) {
			return true, nil
		}
		return false, err
	}
	var halve func(rows []placed) error
	halve = func(rows []placed) error {
		if refused, err := try(rows); err != nil || !refused {
			return err
		}
		if len(rows) > 1 && trials < maxTrials {
			if err := halve(rows[:len(rows)/2]); err != nil {
				return err
			}
			return halve(rows[len(rows)/2:])
		}
		if err := p.sink.try(ctx, b.trial(good)); err != nil {
			return fmt.Errorf("clickhouse takes no row at all: %w", err)
		}
		refused, err := try(rows)
		for _, r := range rows {
			if refused {
				bad = append(bad, r.place())
			}
		}
		return err
	}
	err = halve(b.rows)
	return bad, err
}

// trial is a block whose lease does not run out while it is tried.
func (b block) trial(rows []placed) block {
	b.rows = rows
	b.noted.leaseUntil = time.Now().Add(24 * time.Hour).Truncate(time.Second)
	return b
}

// knownGood has nothing of its own but time and place.
func knownGood(like placed) placed {
	return placed{row: &row{seq: 1, requestID: uuid.New(), startedAt: like.startedAt, outcome: "ok", surface: "openai_chat", kind: kindRequest}, from: like.from}
}

// refuse notes blocks anew, without the records that ClickHouse did not take.
func (s store) refuse(ctx context.Context, owner uuid.UUID, left []block) error {
	at := left[0].span
	return inPostgres(s.db.System(ctx, func(tx pgx.Tx) error {
		if err := s.fence(ctx, tx, owner, at.topicID, at.partition); err != nil {
			return err
		}
		var todo pgx.Batch
		for _, b := range left {
			var offsets, numbers []int64
			for _, p := range b.noted.refused {
				offsets, numbers = append(offsets, p.offset), append(numbers, p.seq)
			}
			todo.Queue(`
				UPDATE ingest_block SET rows = $4, token = $5, refused_offsets = $6, refused_seqs = $7
				WHERE topic_id = $1 AND partition = $2 AND month = $3`,
				at.topicID, at.partition, b.noted.month, b.noted.rows, b.noted.token, offsets, numbers)
		}
		return tx.SendBatch(ctx, &todo).Close()
	}), "note refused records of partition %d", at.partition)
}
