package filter

import "strings"

type nodeKind int

const (
	and nodeKind = iota
	or
	not
	// compare asks something of a field.
	compare
	// search looks for a word in what the schema says.
	search
)

// node is a part of a filter.
type node struct {
	kind nodeKind
	// of are the operands of and, or and not.
	of []*node

	name string
	// key of a label, where keyed.
	key      string
	keyed    bool
	operator string
	value    value

	column, valueColumn int

	// field and argument are what check found.
	field    *Field
	argument any
}

// value is what a field is held against.
type value struct {
	text string
	// prefix: what begins with the text.
	prefix bool
}

// anything is the value of a question whether there is one: labels:*.
func (v value) anything() bool { return v.prefix && v.text == "" }

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `*`, `\*`)

func (v value) String() string {
	text := escapes.Replace(v.text)
	if v.prefix {
		text += "*"
	}
	return `"` + text + `"`
}

func (n *node) String() string {
	switch n.kind {
	case and, or:
		parts := make([]string, 0, len(n.of))
		for _, one := range n.of {
			parts = append(parts, one.enclosed())
		}
		return strings.Join(parts, map[nodeKind]string{and: " AND ", or: " OR "}[n.kind])
	case not:
		return "NOT " + n.of[0].enclosed()
	case search:
		return n.value.String()
	}
	path := n.name
	if n.keyed {
		path += "." + value{text: n.key}.String()
	}
	if n.operator == ":" {
		return path + ":" + n.value.String()
	}
	return path + " " + n.operator + " " + n.value.String()
}

func (n *node) enclosed() string {
	if n.kind == compare || n.kind == search {
		return n.String()
	}
	return "(" + n.String() + ")"
}
