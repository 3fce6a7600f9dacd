package filter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Order is how a list is ordered, to the last tie: the fields, then what is unique.
type Order struct {
	terms []term
	// id is the SQL of what is unique; it goes the way of the last field.
	id string
}

type term struct {
	field *Field
	down  bool
}

// Place is where a list goes on: after the row with these values of the order's
// fields, and this id. The zero place is before all.
type Place struct {
	Values []string  `json:"v"`
	ID     uuid.UUID `json:"i"`
}

// ParseOrder reads an order: "created_at desc, name". Empty text is the schema's own.
// Mistakes are Invalid faults about the field order_by, with the fields there are.
func (s Schema) ParseOrder(text string) (Order, error) {
	order := Order{id: s.ID}
	if order.id == "" {
		order.id = "id"
	}
	if strings.TrimSpace(text) == "" {
		text = s.Order
	}
	for part := range strings.SplitSeq(text, ",") {
		one, err := s.term(strings.Fields(part))
		if err == nil && slices.ContainsFunc(order.terms, func(t term) bool { return t.field == one.field }) {
			err = fmt.Errorf("%s stands twice", one.field.Name)
		}
		if err != nil {
			fields := s.names(func(f Field) bool { return f.Ordered })
			return Order{}, fault.Field("order_by", "%s; lists like this are ordered by %s, each with or without desc, between commas", err, fields)
		}
		order.terms = append(order.terms, one)
	}
	return order, nil
}

func (s Schema) term(words []string) (term, error) {
	if len(words) == 0 {
		return term{}, fmt.Errorf("want a field")
	}
	field := s.field(words[0])
	switch {
	case field == nil || !field.Ordered:
		return term{}, fmt.Errorf("can't order by %q", words[0])
	case len(words) > 2 || len(words) == 2 && words[1] != "desc" && words[1] != "asc":
		return term{}, fmt.Errorf("want desc or nothing after %s, not %q", words[0], strings.Join(words[1:], " "))
	}
	return term{field, len(words) == 2 && words[1] == "desc"}, nil
}

// String is the order in one way of writing.
func (o Order) String() string {
	parts := make([]string, 0, len(o.terms))
	for _, t := range o.terms {
		parts = append(parts, t.field.Name+way(t.down, "", " desc"))
	}
	return strings.Join(parts, ", ")
}

func way(down bool, up, otherwise string) string {
	if down {
		return otherwise
	}
	return up
}

// expressions are the SQL of the fields, and of what is unique.
func (o Order) expressions() (all []string, down []bool) {
	for _, t := range o.terms {
		all, down = append(all, t.field.SQL), append(down, t.down)
	}
	return append(all, o.id), append(down, o.terms[len(o.terms)-1].down)
}

// By is what stands after ORDER BY.
func (o Order) By() string {
	all, down := o.expressions()
	for i := range all {
		all[i] += way(down[i], "", " DESC")
	}
	return strings.Join(all, ", ")
}

// Columns are the fields' expressions, to be selected after what the caller selects.
func (o Order) Columns() string {
	all, _ := o.expressions()
	return strings.Join(all[:len(o.terms)], ", ")
}

// Scan returns where to scan Columns to, and how to make the place of a row of it
// once they were scanned.
func (o Order) Scan() (into []any, place func(id uuid.UUID) Place) {
	for _, t := range o.terms {
		switch t.field.Kind {
		case Time:
			into = append(into, new(time.Time))
		case Number:
			into = append(into, new(int64))
		case ID:
			into = append(into, new(uuid.UUID))
		default:
			into = append(into, new(string))
		}
	}
	return into, func(id uuid.UUID) Place {
		p := Place{ID: id}
		for _, at := range into {
			switch v := at.(type) {
			case *time.Time:
				p.Values = append(p.Values, v.UTC().Format(time.RFC3339Nano))
			case *int64:
				p.Values = append(p.Values, strconv.FormatInt(*v, 10))
			case *uuid.UUID:
				p.Values = append(p.Values, v.String())
			case *string:
				p.Values = append(p.Values, *v)
			}
		}
		return p
	}
}

// After is the condition of what comes after a place; false: no list with this order
// has such a place.
func (o Order) After(p Place, to Statement) (string, bool) {
	if p.ID == uuid.Nil && len(p.Values) == 0 {
		return "(true)", true
	}
	if len(p.Values) != len(o.terms) {
		return "", false
	}
	all, down := o.expressions()
	values := make([]string, 0, len(all))
	for i, t := range o.terms {
		value, ok := t.field.placed(p.Values[i])
		if !ok {
			return "", false
		}
		values = append(values, to.bind(value))
	}
	values = append(values, to.bind(p.ID))
	if slices.Contains(down, !down[0]) {
		return mixed(all, values, down), true
	}
	return fmt.Sprintf("(%s) %s (%s)", strings.Join(all, ", "), way(down[0], ">", "<"), strings.Join(values, ", ")), true
}

// mixed compares rows whose columns go different ways, which SQL can't say at once.
func mixed(all, values []string, down []bool) string {
	var either []string
	same := ""
	for i := range all {
		either = append(either, fmt.Sprintf("(%s%s %s %s)", same, all[i], way(down[i], ">", "<"), values[i]))
		same += fmt.Sprintf("%s = %s AND ", all[i], values[i])
	}
	return "(" + strings.Join(either, " OR ") + ")"
}

// placed reads a value of a place, which its holder may have made up.
func (f *Field) placed(text string) (any, bool) {
	switch f.Kind {
	case Time:
		at, err := parseTime(text)
		return at, err == nil
	case Number:
		number, err := strconv.ParseInt(text, 10, 64)
		return number, err == nil
	case ID:
		id, err := uuid.Parse(text)
		return id, err == nil
	}
	return text, !strings.ContainsRune(text, 0)
}
