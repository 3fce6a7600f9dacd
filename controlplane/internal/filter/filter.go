// Package filter reads what people write into `filter` and `order_by` of lists: a
// part of AIP-160 and AIP-132. It holds them against the fields that a kind of thing
// has, and turns them into SQL whose values are bound parameters, never text. It
// knows no table and runs nothing.
package filter

import (
	"fmt"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

const (
	// maxComparisons bounds what one row costs.
	maxComparisons = 50
	// maxDepth bounds parentheses in parentheses.
	maxDepth = 20
)

// Kind says which values a field has, and what it can be asked.
type Kind int

const (
	// Text can be equal, begin with something (a* at the end) or contain something.
	Text Kind = iota
	// ID is a UUID.
	ID
	// Time is said as RFC 3339, or as a day of UTC.
	Time
	// Number is an int64.
	Number
	// Bool is true or false.
	Bool
	// Enum is one of Values, which are stored as numbers.
	Enum
	// Labels are a jsonb object of texts, a Map in ClickHouse: labels.team = "x".
	Labels
	// IDs are an array of UUIDs, which can contain one.
	IDs
	// Texts are a jsonb array of texts, which can contain one.
	Texts
)

// Field is what a list can be filtered by.
type Field struct {
	Name string
	Kind Kind
	// SQL is the expression of its value, NULL where there is none. It must not fail on
	// any row: rows that the caller may not see could make it tell about them.
	SQL string
	// Bytewise: the expression's collation is "C", so that a prefix is a range, which
	// indexes know.
	Bytewise bool
	// Ordered: lists can be ordered by it. It is never NULL, and a Text is Bytewise.
	Ordered bool
	// Values of an Enum, by lower-case name.
	Values map[string]int32
}

// Schema is the fields of a kind of thing.
type Schema struct {
	Fields []Field
	// Search is the Text that words alone are looked for in; without SQL: none.
	Search Field
	// ID is the SQL of what is unique, which ends every order; empty: id.
	ID string
	// Order is that of lists without order_by: "created_at desc".
	Order string
}

func (s Schema) field(name string) *Field {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return &s.Fields[i]
		}
	}
	return nil
}

func (s Schema) names(which func(Field) bool) string {
	var names []string
	for _, f := range s.Fields {
		if which(f) {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// Filter is a condition that was held against a schema. The zero filter is true of
// everything.
type Filter struct{ root *node }

// Parse reads a filter; empty text is the zero filter. Mistakes are Invalid faults
// about the field filter, with the column and the fields there are.
func (s Schema) Parse(text string) (Filter, error) {
	root, err := parse(text)
	if err == nil && root != nil {
		err = s.check(root)
	}
	if err != nil {
		return Filter{}, fault.Field("filter", "%s; fields: %s", err, s.names(func(Field) bool { return true }))
	}
	return Filter{root}, nil
}

// String is the filter in one way of writing, which reads as the same filter.
func (f Filter) String() string {
	if f.root == nil {
		return ""
	}
	return f.root.String()
}

// mistake is what is wrong at a column, which counts characters from 1.
type mistake struct {
	column int
	text   string
}

func (m *mistake) Error() string { return fmt.Sprintf("column %d: %s", m.column, m.text) }

func wrong(column int, format string, args ...any) error {
	return &mistake{column, fmt.Sprintf(format, args...)}
}
