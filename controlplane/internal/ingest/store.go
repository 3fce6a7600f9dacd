package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// errNotOwner means that another process has the partition.
var errNotOwner = errors.New("another process owns the partition")

// store is what ingest keeps in Postgres, under the role that sees every
// organization.
type store struct {
	db     *postgres.DB
	ownFor time.Duration
}

// own takes a partition that nobody has, or that is ours, and returns where it
// goes on. A partition never seen begins at start. Beyond the share of this process it
// takes only one that nobody took for a while.
func (s store) own(ctx context.Context, owner, topicID uuid.UUID, partition int, start int64, beyond bool) (next int64, err error) {
	ownFor, grace, first := s.ownFor, time.Duration(0), owner
	if beyond {
		grace, first = s.grace(), uuid.Nil
	}
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		const take = `
			INSERT INTO ingest_partition AS p (topic_id, partition, next_offset, owner, owned_until)
			VALUES ($1, $2, $3, $6::uuid, clock_timestamp() + CASE WHEN $6::uuid = $4::uuid THEN $5::interval ELSE interval '0' END)
			ON CONFLICT (topic_id, partition) DO UPDATE SET owner = $4, owned_until = clock_timestamp() + $5::interval
			WHERE p.owner = $4 OR p.owned_until < clock_timestamp() - $7::interval
			RETURNING next_offset, owner`
		return tx.QueryRow(ctx, take, topicID, partition, start, owner, ownFor, first, grace).Scan(&next, &first)
	})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && first != owner {
		return 0, errNotOwner
	}
	return next, inPostgres(err, "own partition %d", partition)
}

// grace is how long others have to take what nobody has.
func (s store) grace() time.Duration { return 3 * s.ownFor }

// renew keeps a partition.
func (s store) renew(ctx context.Context, owner, topicID uuid.UUID, partition int) error {
	return inPostgres(s.db.System(ctx, func(tx pgx.Tx) error {
		return s.fence(ctx, tx, owner, topicID, partition)
	}), "keep partition %d", partition)
}

// fence locks the partition's row, if it is still ours, until the transaction ends.
func (s store) fence(ctx context.Context, tx pgx.Tx, owner, topicID uuid.UUID, partition int) error {
	const keep = `
		UPDATE ingest_partition SET owned_until = clock_timestamp() + $4
		WHERE topic_id = $1 AND partition = $2 AND owner = $3`
	tag, err := tx.Exec(ctx, keep, topicID, partition, owner, s.ownFor)
	if err == nil && tag.RowsAffected() == 0 {
		return errNotOwner
	}
	return err
}

// release lets another process in at once.
func (s store) release(ctx context.Context, owner, topicID uuid.UUID, partition int) error {
	return inPostgres(s.db.System(ctx, func(tx pgx.Tx) error {
		const leave = `UPDATE ingest_partition SET owned_until = clock_timestamp() WHERE topic_id = $1 AND partition = $2 AND owner = $3`
		_, err := tx.Exec(ctx, leave, topicID, partition, owner)
		return err
	}), "release partition %d", partition)
}

// undone returns the blocks of the one slice that was noted and not finished.
func (s store) undone(ctx context.Context, topicID uuid.UUID, partition int) (at span, blocks []noted, err error) {
	at = span{topicID: topicID, partition: partition}
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT first_offset, last_offset, month, rows, token, lease_until, judged_at, refused_offsets, refused_seqs FROM ingest_block
			WHERE topic_id = $1 AND partition = $2 ORDER BY month`, topicID, partition)
		if err != nil {
			return err
		}
		var n noted
		var offsets, numbers []int64
		_, err = pgx.ForEachRow(rows, []any{&at.first, &at.last, &n.month, &n.rows, &n.token, &n.leaseUntil, &n.judgedAt, &offsets, &numbers}, func() error {
			n.refused = placesOf(offsets, numbers)
			blocks = append(blocks, n)
			return nil
		})
		return err
	})
	return at, blocks, inPostgres(err, "noted blocks of partition %d", partition)
}

// prolong notes a later lease before noted blocks are sent again.
func (s store) prolong(ctx context.Context, owner uuid.UUID, at span, until time.Time) error {
	return inPostgres(s.db.System(ctx, func(tx pgx.Tx) error {
		if err := s.fence(ctx, tx, owner, at.topicID, at.partition); err != nil {
			return err
		}
		const later = `UPDATE ingest_block SET lease_until = $3 WHERE topic_id = $1 AND partition = $2`
		_, err := tx.Exec(ctx, later, at.topicID, at.partition, until)
		return err
	}), "prolong blocks of partition %d", at.partition)
}
