package filter

import (
	"fmt"
	"strings"
)

// SQL returns the condition in parentheses and adds its values to the statement. What
// has no value is equal to nothing, less or greater than nothing, and has nothing;
// != and NOT are true of it. Row by row the condition may be NULL, which is false.
func (f Filter) SQL(to Statement) string {
	if f.root == nil {
		return "(true)"
	}
	return "(" + f.root.sql(to) + ")"
}

func (n *node) sql(to Statement) string {
	switch n.kind {
	case and, or:
		parts := make([]string, 0, len(n.of))
		for _, one := range n.of {
			parts = append(parts, "("+one.sql(to)+")")
		}
		return strings.Join(parts, map[nodeKind]string{and: " AND ", or: " OR "}[n.kind])
	case not:
		return fmt.Sprintf(to.speech().not, n.of[0].sql(to))
	case search:
		return n.searchSQL(to)
	}
	return n.comparisonSQL(to)
}

func (n *node) searchSQL(to Statement) string {
	if n.value.prefix {
		return n.prefixSQL(n.field.SQL, to)
	}
	return containsSQL(n.field.SQL, n.value.text, to)
}

func (n *node) comparisonSQL(to Statement) string {
	expression := n.field.SQL
	switch {
	case n.keyed:
		expression = fmt.Sprintf(to.speech().label, expression, to.bind(n.key))
	case n.field.Kind == Labels:
		return n.labelSQL(to)
	}
	switch {
	case n.operator == ":" && n.value.anything():
		return n.presentSQL(expression, to)
	case n.operator == ":" && n.field.Kind == IDs:
		return fmt.Sprintf("%s = ANY(%s)", to.bind(n.argument), expression)
	case n.operator == ":" && n.field.Kind == Texts:
		return fmt.Sprintf("%s ? %s", expression, to.bind(n.argument))
	case n.operator == ":":
		return containsSQL(expression, n.value.text, to)
	case n.value.prefix && n.operator == "!=":
		return fmt.Sprintf(to.speech().not, n.prefixSQL(expression, to))
	case n.value.prefix:
		return n.prefixSQL(expression, to)
	case n.operator == "!=":
		return fmt.Sprintf(to.speech().differs, expression, to.bind(n.argument))
	}
	return fmt.Sprintf("%s %s %s", expression, n.operator, to.bind(n.argument))
}

// labelSQL asks whether there is a label, by its name: labels:team.
func (n *node) labelSQL(to Statement) string {
	if n.value.anything() {
		return fmt.Sprintf(to.speech().anyLabel, n.field.SQL)
	}
	return fmt.Sprintf(to.speech().hasLabel, n.field.SQL, to.bind(n.value.text))
}

func (n *node) presentSQL(expression string, to Statement) string {
	switch {
	case n.keyed:
		return expression + " IS NOT NULL"
	case n.field.Kind == ID:
		return fmt.Sprintf(to.speech().presentID, expression)
	case n.field.Kind == Text:
		return expression + " <> ''"
	case n.field.Kind == IDs:
		return "cardinality(" + expression + ") > 0"
	case n.field.Kind == Texts:
		return expression + " <> '[]'"
	}
	return expression + " IS NOT NULL"
}

func containsSQL(expression, text string, to Statement) string {
	return fmt.Sprintf(to.speech().contains, expression, to.bind(text))
}

func (n *node) prefixSQL(expression string, to Statement) string {
	after := successor(n.value.text)
	if !n.field.Bytewise || after == "" {
		return fmt.Sprintf(to.speech().begins, expression, to.bind(n.value.text))
	}
	return fmt.Sprintf("%[1]s >= %[2]s AND %[1]s < %[3]s", expression, to.bind(n.value.text), to.bind(after))
}

// successor is the least text after all that begin with a prefix, in the order of
// bytes; empty where there is no simple one.
func successor(prefix string) string {
	if prefix == "" {
		return ""
	}
	last := prefix[len(prefix)-1]
	if last >= 0x7f {
		return ""
	}
	return prefix[:len(prefix)-1] + string(rune(last+1))
}
