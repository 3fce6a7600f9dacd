package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
)

// Wanted says which dead letters to replay; the zero value: all.
type Wanted struct {
	// Reason of the letters; empty: every one.
	Reason string
	// Organization and Agent that signed them; zero: any. Letters that can't be
	// verified are nobody's.
	Organization, Agent uuid.UUID
	// After and Before bound when they were put aside; zero: unbounded.
	After, Before time.Time
}

// Fate is what becomes of a dead letter that is replayed.
type Fate string

// Fates; only the first one goes to the usage topic.
const (
	FateSent         Fate = "sent"
	FateStored       Fate = "its records are rows already"
	FateRepeat       Fate = "the same batch as an earlier letter"
	FateNoRows       Fate = "its records can't be rows, still"
	FateConflict     Fate = "other records have its numbers"
	FateRevoked      Fate = "its agent was revoked: its word is taken for letters of agent_revoked only, when they are asked for by that reason"
	FateStripped     Fate = "without its bytes: they are where it came from"
	FateUnverifiable Fate = "nobody can say who signed it"
)

// Tally counts letters by reason and by what becomes of them.
type Tally map[Fated]int

// Fated is a kind of letter.
type Fated struct {
	Reason string
	Fate   Fate
}

// Sorted lists the kinds by reason and fate.
func (t Tally) Sorted() []Fated {
	var kinds []Fated
	for kind := range t {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b Fated) int { return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Fate, b.Fate)) })
	return kinds
}

// Validate refuses a reason that no letter has.
func (w Wanted) Validate() error {
	if w.Reason != "" && !slices.Contains(reasons, w.Reason) {
		return fmt.Errorf("no dead letter has the reason %q; there are %s", w.Reason, strings.Join(reasons, ", "))
	}
	return nil
}

// replay is one pass over the dead-letter topic.
type replay struct {
	wanted Wanted
	send   bool
	dead   *broker // reads the dead-letter topic
	usage  *broker
	store  store
	agents *agents
	now    time.Time
	seen   map[content]bool
	tally  Tally
}

// Replay sends the wanted dead letters to the usage topic again, as they came, where
// ingest takes each number once. Whoever wants letters of agent_revoked takes
// the word of revoked agents for them, and for nothing else: that is noted, and ingest
// goes by the note. Without send nothing is written. ClickHouse, the logger and
// the metrics of c are not needed.
func Replay(ctx context.Context, c Config, wanted Wanted, send bool) (Tally, error) {
	if err := wanted.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	usage, err := newBroker(c)
	if err != nil {
		return nil, err
	}
	defer usage.close()
	dead := *usage
	dead.topic = c.DeadTopic
	r := replay{
		wanted: wanted, send: send, dead: &dead, usage: usage, store: store{db: c.Postgres}, agents: newAgents(c.Registry, time.Now),
		now: time.Now().Truncate(time.Microsecond), seen: map[content]bool{}, tally: Tally{},
	}
	next, end, err := dead.bounds(ctx, 0)
	for err == nil && next < end {
		var got fetched
		if got, err = dead.fetch(ctx, 0, next, fetchWait); err != nil {
			break
		}
		got.records = before(got.records, end, func(r record) int64 { return r.offset })
		if len(got.records) == 0 {
			return r.tally, fmt.Errorf("read dead letters: nothing came at offset %d, the last one is %d", next, end-1)
		}
		next = got.records[len(got.records)-1].offset + 1
		err = r.page(ctx, got.records)
	}
	return r.tally, err
}

func (r *replay) page(ctx context.Context, records []record) error {
	var letters []letter
	for _, source := range records {
		l, err := r.read(ctx, source)
		if err != nil {
			return err
		}
		if l.wantedBy(r.wanted) {
			letters = append(letters, l)
		}
	}
	known, err := r.store.known(ctx, letters)
	if err != nil {
		return err
	}
	for i := range letters {
		letters[i].fate = r.fate(known, letters[i])
		r.tally[Fated{letters[i].reason, letters[i].fate}]++
	}
	letters = slices.DeleteFunc(letters, func(l letter) bool { return l.fate != FateSent })
	if !r.send || len(letters) == 0 {
		return nil
	}
	if err := r.store.accept(ctx, letters); err != nil {
		return err
	}
	for _, l := range letters {
		if err := r.usage.produce(ctx, l.partition, l.source); err != nil {
			return fmt.Errorf("replay the dead letter at offset %d: %w", l.source.offset, err)
		}
	}
	return nil
}

// fate goes by what is claimed now, as ingest will.
func (r *replay) fate(known known, l letter) Fate {
	switch {
	case l.stripped:
		return FateStripped
	case l.batch == nil:
		return FateUnverifiable
	}
	id := content{l.batch.boot.bootID, l.batch.sha256}
	if r.seen[id] {
		return FateRepeat
	}
	r.seen[id] = true
	switch verdict := known.judge(l.batch.claim(position{})); {
	case verdict == conflict:
		return FateConflict
	case verdict != fresh && len(known.dead[id].seqs) == 0:
		return FateStored
	case verdict != fresh && len(l.batch.only(known.dead[id].seqs).rows) == 0, len(l.batch.rows) == 0:
		return FateNoRows
	case verdict == fresh && l.batch.boot.revoked && !known.accepted[id] && !r.accepts(l):
		return FateRevoked
	}
	return FateSent
}

// accepts tells whether a revoked agent's word is taken for a letter.
func (r *replay) accepts(l letter) bool {
	return l.reason == reasonRevoked && r.wanted.Reason == reasonRevoked
}

// produce writes one record as it came, and waits until every replica in sync has it.
func (b *broker) produce(ctx context.Context, partition int, source record) error {
	response, err := b.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: b.topic, Partition: partition, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes(source.key), Value: kafka.NewBytes(source.value)}),
	})
	if err != nil {
		return err
	}
	return response.Error
}
