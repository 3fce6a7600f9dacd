package filter

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// check holds a tree against the schema and fills in its fields and arguments.
func (s Schema) check(n *node) error {
	for _, one := range n.of {
		if err := s.check(one); err != nil {
			return err
		}
	}
	switch n.kind {
	case search:
		return s.checkSearch(n)
	case compare:
		return s.checkComparison(n)
	}
	return nil
}

func (s Schema) checkSearch(n *node) error {
	if n.field = &s.Search; n.field.SQL == "" {
		return wrong(n.column, "there is no text here to look for a word in; want a field and an operator")
	}
	if n.argument = n.value.text; n.value.text == "" {
		return wrong(n.column, "want a word to look for")
	}
	return nil
}

func (s Schema) checkComparison(n *node) (err error) {
	if n.field = s.field(n.name + "." + n.key); n.keyed && n.field != nil {
		n.name, n.key, n.keyed = n.field.Name, "", false
	} else if n.field = s.field(n.name); n.field == nil {
		return wrong(n.column, "there is no field %q", n.name)
	}
	if n.keyed && (n.field.Kind != Labels || n.key == "") {
		return wrong(n.column, "%q has no part %q", n.name, n.key)
	}
	if err := n.checkOperator(); err != nil {
		return err
	}
	if n.operator == ":" && n.value.anything() {
		return nil
	}
	if n.value.prefix && !n.takesPrefix() {
		return wrong(n.valueColumn, "%s %s takes no *; one that is meant is \\* in quotes", n.name, n.operator)
	}
	n.argument, err = n.parseValue()
	return err
}

func (n *node) takesPrefix() bool {
	text := n.field.Kind == Text || n.field.Kind == Labels && n.keyed
	return text && (n.operator == "=" || n.operator == "!=")
}

func (n *node) checkOperator() error {
	allowed := "= !="
	present := ""
	switch n.field.Kind {
	case Time, Number:
		allowed, present = "= != < <= > >=", ":* (it has one)"
	case Text:
		allowed = "= != :"
	case Labels:
		if allowed = "= != :"; !n.keyed {
			allowed = ":"
		}
	case IDs, Texts:
		allowed = ":"
	case ID:
		present = ":* (it has one)"
	}
	for _, o := range strings.Fields(allowed) {
		if n.operator == o {
			return nil
		}
	}
	if present != "" && n.operator == ":" && n.value.anything() {
		return nil
	}
	return wrong(n.column, "%s takes %s, not %s", n.name, strings.TrimSpace(allowed+" "+present), n.operator)
}

// parseValue turns the value into what is bound: string, uuid.UUID, time.Time, int64
// or bool.
func (n *node) parseValue() (any, error) {
	text := n.value.text
	switch n.field.Kind {
	case ID, IDs:
		id, err := uuid.Parse(text)
		if err != nil || len(text) != len(id.String()) {
			return nil, wrong(n.valueColumn, "%s wants a UUID, not %q", n.name, text)
		}
		return id, nil
	case Time:
		at, err := parseTime(text)
		if err != nil {
			return nil, wrong(n.valueColumn, `%s wants a time like "2026-07-01T12:00:00Z" or a day like 2026-07-01, not %q`, n.name, text)
		}
		return at, nil
	case Number:
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, wrong(n.valueColumn, "%s wants a whole number, not %q", n.name, text)
		}
		return number, nil
	case Bool:
		if text != "true" && text != "false" {
			return nil, wrong(n.valueColumn, "%s wants true or false, not %q", n.name, text)
		}
		return text == "true", nil
	case Enum:
		number, ok := n.field.Values[strings.ToLower(text)]
		if !ok {
			names := slices.Sorted(maps.Keys(n.field.Values))
			return nil, wrong(n.valueColumn, "%s wants one of %s, not %q", n.name, strings.Join(names, ", "), text)
		}
		return int64(number), nil
	default:
		return text, nil
	}
}

// parseTime keeps to years that every store can hold.
func parseTime(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, text)
	}
	if at = at.UTC(); err == nil && (at.Year() < 1 || at.Year() > 9999) {
		err = strconv.ErrRange
	}
	return at, err
}
