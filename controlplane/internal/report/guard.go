package report

import (
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Check lets one SELECT or WITH statement pass and says plainly what it refuses.
// The barrier between tenants is the server's (grants and row filters), but for
// EXPLAIN, whose estimates count the rows of everybody, and for functions that need
// no grant and tell about the server itself: see serverFunctions.
func Check(sql string) error {
	all := tokens(sql)
	for len(all) > 0 && all[len(all)-1].is(";") {
		all = all[:len(all)-1]
	}
	first := 0
	for first < len(all) && all[first].is("(") {
		first++
	}
	if first == len(all) || !all[first].keyword("SELECT") && !all[first].keyword("WITH") {
		return refuse("only a SELECT or WITH … SELECT statement can run")
	}
	for i := range all {
		if err := checkToken(all, i); err != nil {
			return err
		}
	}
	return nil
}

func checkToken(all []token, i int) error {
	t, after := all[i], token{}
	if i+1 < len(all) {
		after = all[i+1]
	}
	named := after.kind == word && !after.quoted
	switch {
	case t.escaped:
		return refuse("a quoted name can't hold a backslash")
	case t.kind == word && serverFunctions[strings.ToLower(t.value)]:
		return refuse(t.value + " is not available: a query sees usage, not the server")
	case t.kind == word && (strings.EqualFold(t.value, "system") || strings.EqualFold(t.value, "information_schema")) && after.is("."):
		return refuse("system tables are not available; docs/sql.md lists the views")
	case t.kind == foreign:
		return refuse("outside of quotes a query is plain ASCII")
	case t.kind == broken:
		return refuse("a string, quoted name or comment does not end")
	case t.is(";"):
		return refuse("one statement at a time: remove what stands after the semicolon")
	case t.keyword("EXPLAIN") && (i == 0 || all[i-1].is("(")) && (named || after.is("(")),
		t.kind == word && strings.EqualFold(t.value, "viewExplain"):
		return refuse("EXPLAIN is not available")
	case t.keyword("INTO") && after.keyword("OUTFILE"):
		return refuse("INTO OUTFILE is not available: the result is the answer")
	case t.keyword("FORMAT") && after.kind == word && !after.isClause():
		return refuse("FORMAT is not available: the answer is JSON")
	case t.kind == word && strings.EqualFold(t.value, "Identifier") && i > 0 && all[i-1].is(":"):
		return refuse("parameters are values: a name of a table or column has to stand in the text")
	case t.keyword("SETTINGS") && after.kind == word:
		return refuse("SETTINGS is not available: limits are fixed")
	}
	return nil
}

func refuse(message string) error {
	return fault.Because(fault.Invalid, "query_refused", "%s", message)
}

func (t token) is(value string) bool { return t.kind == mark && t.value == value }

func (t token) keyword(value string) bool {
	return t.kind == word && !t.quoted && strings.EqualFold(t.value, value)
}

// isClause tells that the word before was a column's name.
func (t token) isClause() bool {
	for _, clause := range []string{"FROM", "AS", "WHERE", "GROUP", "ORDER", "LIMIT", "IN", "NOT", "AND", "OR", "IS", "LIKE", "ILIKE", "BETWEEN", "ASC", "DESC", "HAVING", "UNION", "THEN", "ELSE", "END", "WHEN"} {
		if t.keyword(clause) {
			return true
		}
	}
	return false
}
