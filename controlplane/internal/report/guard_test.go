package report_test

import (
	"testing"

	"github.com/weirhq/weir/controlplane/internal/report"
)

func TestCheck(t *testing.T) {
	for _, sql := range []string{
		"SELECT 1;",
		"  (SELECT 1) UNION ALL (SELECT 2) ; ; ",
		"-- why\nWITH x AS (SELECT 1) /* a /* b */ c */ SELECT * FROM x",
		"SELECT 'a;b', ';', \"x;y\", `settings` FROM requests",
		"SELECT 'it''s', 'a\\'; DROP', $$; SETTINGS a = 1$$, $x$;$$;$x$",
		"SELECT format('{}', route), 'größer' FROM requests",
		"SELECT outcome AS format FROM requests",
		"SELECT (explain), explain + (1) FROM (SELECT 1 AS explain) WHERE explain IN (explain, 2)",
	} {
		if err := report.Check(sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{
		"", ";", "(", "SHOW TABLES", "select 1; select 2", "SELECT 1 INTO OUTFILE 'x'", "SELECT 1 FORMAT JSON", "SELECT 1 FORMAT `JSON`",
		"SELECT 1 SETTINGS a = 1", "SELECT * FROM (SELECT 1 settings`a`=1)", "SELECT * FROM (SELECT 1/**/SETTINGS--\na=1)",
		"SELECT * FROM (EXPLAIN SELECT 1)", "SELECT * FROM (/**/explain PLAN SELECT 1)", "SELECT * FROM (EXPLAIN (SELECT 1))", "SELECT * FROM \"viewexplain\"('', '', (SELECT 1))",
		"SELECT 'open", "SELECT 1 /* open", "SELECT \u2018'\u2019 SETTINGS a = 1 '", "SELECT 1\u00a0SETTINGS\u00a0a = 1", "SELECT 1\x00",
		"SELECT $x$ SETTINGS a = 1", "SELECT * FROM {t:Identifier}", "SELECT * FROM { t : `Identifier` }", "SELECT blockSize() FROM requests",
		"SELECT nowInBlock64()", "SELECT fullHostName()", "SELECT lowCardinalityIndices(route) FROM requests", "SELECT dumpColumnStructure(route) FROM requests",
	} {
		if report.Check(sql) == nil {
			t.Errorf("passed: %q", sql)
		}
	}
}

func TestClean(t *testing.T) {
	for message, want := range map[string]string{
		"Syntax error: failed at position 8 (FROM) (line 1, col 8): FROM WHERE. Expected one of: x, y":   "Syntax error: failed at position 8 (FROM) (line 1, col 8): FROM WHERE",
		"Unknown expression identifier `a` in scope SELECT a FROM weir.requests. Maybe you meant: ['b']": "Unknown expression identifier `a`",
		"Something about weir.usage_event": "the query can't be run as it is",
	} {
		if got := report.Clean(message); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
