package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// transformVersion grows when the same Kafka records would give other blocks: more
// rows, fewer, or rows of other months. A block noted by another version can't be
// completed: drain before an upgrade. Columns that were added since change nothing
// here: a block that a former build noted is sent with them, unless it is there already.
const transformVersion = 1

// maxBlockRows keeps a block in one part and a retry cheap.
const maxBlockRows = 200_000

// span is a slice of a partition: offsets first..last, inclusive.
type span struct {
	topicID     uuid.UUID
	partition   int
	first, last int64
}

// noted is a block as Postgres knows it.
type noted struct {
	month      int
	rows       int
	token      string
	leaseUntil time.Time
	judgedAt   time.Time
	refused    []place
}

// place is one record of a span: the batch's offset and its number there.
type place struct{ offset, seq int64 }

// refusals are the records of each month that ClickHouse did not take.
type refusals map[int][]place

func placesOf(offsets, numbers []int64) []place {
	var out []place
	for i, offset := range offsets {
		out = append(out, place{offset, numbers[i]})
	}
	return out
}

// block is one month of a span.
type block struct {
	span  span
	noted noted
	rows  []placed
}

// placed is a row with whose it is and which batch it came in. Rows are as large as
// messages: they are not copied on their way into columns.
type placed struct {
	*row
	from *incoming
}

func (p placed) place() place { return place{p.from.source.offset, p.seq} }

// blocksOf cuts what was taken into months. The same input gives the same rows in
// the same order, and so the same tokens. Without the refused records it is another
// block, with another token.
func blocksOf(s span, taken []incoming, refused refusals) []block {
	byMonth := map[int][]placed{}
	for i := range taken {
		for j := range taken[i].rows {
			r := &taken[i].rows[j]
			month := r.month()
			byMonth[month] = append(byMonth[month], placed{row: r, from: &taken[i]})
		}
	}
	var out []block
	for month, rows := range byMonth {
		out = append(out, block{span: s, rows: rows, noted: noted{month: month, rows: len(rows), token: s.token(month, refused[month])}})
	}
	slices.SortFunc(out, func(a, b block) int { return a.noted.month - b.noted.month })
	return out
}

func (s span) token(month int, refused []place) string {
	identity := fmt.Sprintf("weir usage block\x00%s\x00%d\x00%d\x00%d\x00%d\x00%d",
		s.topicID, s.partition, s.first, s.last, month, transformVersion)
	for _, p := range refused {
		identity += fmt.Sprintf("\x00%d/%d", p.offset, p.seq)
	}
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:])
}
