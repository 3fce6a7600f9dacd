package readmodel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/filter"
)

// Table is the read model of one kind of thing.
type Table[T any] struct {
	name string
	// thing is what a person calls one row: "service account".
	thing string
	// begins is the kind of event that makes a row.
	begins string
	// alsoBegins is another kind that does. Empty: there is none.
	alsoBegins string
	// restores is the kind that makes the row of an archived thing again; it says
	// all of its state. Empty: it stays archived for ever.
	restores string
	// ends is the kind that closes a row for good: the name is free, its history
	// stays. Empty: nothing does.
	ends string
	// changes are the other kinds, with how to find the row; nil: the event's subject.
	changes map[string]func(proto.Message) string
	apply   func(T, eventlog.Event) (T, error)
	// columns are searched for; values are theirs.
	columns []string
	values  func(T) []any
	// fields of a list's filter and order; without any: someFields.
	fields filter.Schema
}

func (t *Table[T]) tableName() string { return t.name }

// Fields are what lists of the table are filtered and ordered by.
func (t *Table[T]) Fields() filter.Schema {
	if t.fields.Fields == nil {
		return someFields
	}
	return t.fields
}

func (t *Table[T]) respell(state string) []byte {
	var known T
	decoder := json.NewDecoder(strings.NewReader(state))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&known); err != nil {
		return nil
	}
	respelled, err := json.Marshal(known)
	if err != nil {
		return nil
	}
	return respelled
}

func (t *Table[T]) claims(e eventlog.Event) (uuid.UUID, bool, error) {
	if t.makes(e.Kind) || t.closes(e.Kind) {
		return e.Subject, true, nil
	}
	find, ok := t.changes[e.Kind]
	if !ok {
		return uuid.Nil, false, nil
	}
	if find == nil {
		return e.Subject, true, nil
	}
	id, err := uuid.Parse(find(e.Body))
	if err != nil {
		return uuid.Nil, false, fmt.Errorf("project %s of version %d to %s: %w", e.Kind, e.Version, t.name, err)
	}
	return id, true, nil
}

func (t *Table[T]) touches(kind string) bool {
	find, changes := t.changes[kind]
	return t.makes(kind) || t.closes(kind) || changes && find == nil
}

// kinds are those of the events that touch the row of their subject.
func (t *Table[T]) kinds() []string {
	kinds := []string{t.begins, t.alsoBegins, t.restores, t.ends}
	for kind := range t.changes {
		kinds = append(kinds, kind)
	}
	return slices.DeleteFunc(kinds, func(kind string) bool { return !t.touches(kind) })
}

// makes tells whether events of the kind begin a row that was not there.
func (t *Table[T]) makes(kind string) bool {
	return kind == t.begins || kind != "" && (kind == t.alsoBegins || kind == t.restores)
}

func (t *Table[T]) closes(kind string) bool { return t.ends != "" && kind == t.ends }

// insertInto returns the statement that writes one row: organization_id, id,
// valid_from, valid_to, state, then the columns.
func (t *Table[T]) insertInto(table string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "INSERT INTO %s (organization_id, id, valid_from, valid_to, state", table)
	for _, column := range t.columns {
		text.WriteString(", " + column)
	}
	text.WriteString(") VALUES ($1, $2, $3, $4, $5")
	for i := range t.columns {
		fmt.Fprintf(&text, ", $%d", i+6)
	}
	return text.String() + ")"
}
