package filter

import (
	"strings"
	"unicode/utf8"
)

// parser reads the grammar of AIP-160, where OR binds closer than AND:
//
//	expression = sequence {"AND" sequence}
//	sequence   = factor {factor}
//	factor     = term {"OR" term}
//	term       = ["NOT" | "-"] simple
//	simple     = "(" expression ")" | word | field operator value
type parser struct {
	lexer
	// at is the token that was not taken yet.
	at    token
	depth int
	leafs int
}

// parse returns nil where there is nothing but space.
func parse(text string) (*node, error) {
	if !utf8.ValidString(text) {
		return nil, wrong(1, "it is no UTF-8")
	}
	p := &parser{lexer: lexer{left: text, column: 1}}
	if err := p.take(); err != nil || p.at.kind == end {
		return nil, err
	}
	root, err := p.expression()
	if err == nil && p.at.kind != end {
		err = wrong(p.at.column, "%s is one too many", p.at)
	}
	return root, err
}

func (p *parser) take() (err error) {
	p.at, err = p.next()
	return err
}

func (p *parser) expression() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, wrong(p.at.column, "parentheses go at most %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	return p.joined(and, p.sequence, func() bool { return p.at.keyword("AND") })
}

// sequence is what stands side by side: all of it must be true.
func (p *parser) sequence() (*node, error) {
	first, err := p.factor()
	if err != nil {
		return nil, err
	}
	all := []*node{first}
	for p.at.kind != end && !p.at.keyword("AND", "OR") && (p.at.kind != parenthesis || p.at.text != ")") {
		next, err := p.factor()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	return group(and, all), nil
}

func (p *parser) factor() (*node, error) {
	return p.joined(or, p.term, func() bool { return p.at.keyword("OR") })
}

// joined reads one or more operands of a keyword.
func (p *parser) joined(kind nodeKind, operand func() (*node, error), again func() bool) (*node, error) {
	var all []*node
	for {
		one, err := operand()
		if err != nil {
			return nil, err
		}
		all = append(all, one)
		if !again() {
			return group(kind, all), nil
		}
		if err := p.take(); err != nil {
			return nil, err
		}
	}
}

func group(kind nodeKind, all []*node) *node {
	if len(all) == 1 {
		return all[0]
	}
	return &node{kind: kind, of: all, column: all[0].column}
}

func (p *parser) term() (*node, error) {
	column, negated := p.at.column, p.at.keyword("NOT")
	if rest, minus := strings.CutPrefix(p.at.text, "-"); p.at.kind == word && minus && rest != "" {
		p.at.text, p.at.column = rest, column+1
		return negate(column)(p.simple())
	} else if p.at.keyword("-") {
		negated = true
	}
	if !negated {
		return p.simple()
	}
	if err := p.take(); err != nil {
		return nil, err
	}
	return negate(column)(p.simple())
}

func negate(column int) func(*node, error) (*node, error) {
	return func(n *node, err error) (*node, error) {
		return &node{kind: not, of: []*node{n}, column: column}, err
	}
}

func (p *parser) simple() (*node, error) {
	switch {
	case p.at.kind == parenthesis && p.at.text == "(":
		return p.composite()
	case p.at.kind == word && !p.at.keyword("AND", "OR", "NOT"), p.at.kind == quoted:
		return p.restriction()
	default:
		return nil, wrong(p.at.column, "want a field or a word, not %s", p.at)
	}
}

func (p *parser) composite() (*node, error) {
	opened := p.at.column
	if err := p.take(); err != nil {
		return nil, err
	}
	inside, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.at.kind != parenthesis {
		return nil, wrong(opened, "the parenthesis is not closed")
	}
	return inside, p.take()
}

// restriction is a word to search for, or a field and what is asked of it.
func (p *parser) restriction() (*node, error) {
	first := p.at
	if p.leafs++; p.leafs > maxComparisons {
		return nil, wrong(first.column, "want at most %d comparisons", maxComparisons)
	}
	if err := p.take(); err != nil {
		return nil, err
	}
	name, key, dotted := strings.Cut(first.text, ".")
	if first.kind == word && dotted && key == "" && p.at.kind == quoted && p.at.glued {
		if key = p.at.text; p.at.prefix {
			return nil, wrong(p.at.column, "the name of a label has no *")
		}
		if err := p.take(); err != nil {
			return nil, err
		}
	}
	if p.at.kind != operator {
		if first.kind == word && strings.HasSuffix(first.text, ".") && key != "" {
			return nil, wrong(p.at.column, "want one of = != < <= > >= :, not %s", p.at)
		}
		return &node{kind: search, value: value{first.text, first.prefix}, column: first.column}, nil
	}
	if first.kind != word || first.prefix {
		return nil, wrong(first.column, "want the name of a field before %s", p.at)
	}
	return p.comparison(&node{kind: compare, name: name, key: key, keyed: dotted, column: first.column})
}

func (p *parser) comparison(n *node) (*node, error) {
	n.operator = p.at.text
	if err := p.take(); err != nil {
		return nil, err
	}
	if p.at.kind != word && p.at.kind != quoted || p.at.keyword("AND", "OR", "NOT") {
		return nil, wrong(p.at.column, "want a value after %s, not %s", n.operator, p.at)
	}
	n.value, n.valueColumn = value{p.at.text, p.at.prefix}, p.at.column
	return n, p.take()
}
