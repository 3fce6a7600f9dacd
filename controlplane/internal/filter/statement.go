package filter

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Statement takes the values of conditions: *Postgres or *ClickHouse.
type Statement interface {
	// bind adds a value and returns its placeholder, whose type is said so that nobody
	// need guess it.
	bind(value any) string
	speech() speech
}

// speech is how a database says what databases say differently.
type speech struct {
	not, differs, contains, begins string
	// label is one's value, NULL where there is none of the name.
	label, hasLabel, anyLabel string
	// presentID is whether there is an id: in ClickHouse the zero one is none.
	presentID string
	// types of strings, UUIDs, times, int64 and bool.
	types [5]string
}

var (
	postgres = speech{
		not: "(%s) IS NOT TRUE", differs: "%s IS DISTINCT FROM %s",
		contains: "strpos(lower(%s), lower(%s)) > 0", begins: "starts_with(%s, %s)",
		label: "(%s ->> %s)", hasLabel: "%s ? %s", anyLabel: "%s <> '{}'",
		presentID: "%s IS NOT NULL",
		types:     [5]string{"text", "uuid", "timestamptz", "bigint", "boolean"},
	}
	clickHouse = speech{
		not: "NOT ifNull(%s, false)", differs: "ifNull(%s != %s, true)",
		contains: "positionCaseInsensitiveUTF8(%s, %s) > 0", begins: "startsWith(%s, %s)",
		label: "if(mapContains(%[1]s, %[2]s), %[1]s[%[2]s], NULL)", hasLabel: "mapContains(%s, %s)", anyLabel: "notEmpty(%s)",
		presentID: "notEmpty(%s)",
		types:     [5]string{"String", "UUID", "DateTime64(6, 'UTC')", "Int64", "Bool"},
	}
)

func (s speech) typeOf(value any) string {
	switch value.(type) {
	case uuid.UUID:
		return s.types[1]
	case time.Time:
		return s.types[2]
	case int64:
		return s.types[3]
	case bool:
		return s.types[4]
	}
	return s.types[0]
}

// Postgres is the bound parameters of a statement.
type Postgres struct{ Args []any }

func (p *Postgres) speech() speech { return postgres }

func (p *Postgres) bind(value any) string {
	p.Args = append(p.Args, value)
	return fmt.Sprintf("$%d::%s", len(p.Args), postgres.typeOf(value))
}

// ClickHouse is the parameters of a query, by name.
type ClickHouse struct{ Parameters map[string]any }

func (c *ClickHouse) speech() speech { return clickHouse }

func (c *ClickHouse) bind(value any) string {
	if c.Parameters == nil {
		c.Parameters = map[string]any{}
	}
	name := fmt.Sprintf("filter_%d", len(c.Parameters))
	c.Parameters[name] = value
	return fmt.Sprintf("{%s:%s}", name, clickHouse.typeOf(value))
}
