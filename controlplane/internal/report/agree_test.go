package report_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/report"
)

// pieces of texts in which two tokenizers may see different things.
var pieces = []string{
	"SELECT 1", "SELECT 'a'", " FROM requests", " WHERE 1", " ", ",", "(", ")", "(SELECT 1", " AS x", " AS `x`", " AS \"x\"", " UNION ALL SELECT 2",
	"'", "''", `\'`, `\\`, `\`, `"`, `""`, "`", "``", "$$", "$a$", "$b$", "$", "/*", "*/", "/**/", "--", "-- ", "#", "# ", "#!", "\n", "\r", "\t", "\f", "\v",
	";", "; ", "{x:String}", "{", "}", "x'41'", "b'01'", "N'a'", "0x1", "1e5", "a$b", "_", ".", "::", "?", "@", "@@a", "\x00", "\u00a0", "\u2018", "\u2019", "\u201c", "\ufeff", "\u3000", "é",
	" SETTINGS max_threads = 1", " settings a=1", "SETTINGS", " FORMAT JSON", " format Null", " INTO OUTFILE 'x'", "INTO", " OUTFILE", "EXPLAIN ", " LIMIT 1", "'; ", "/* ' */", "-- '\n", "$$'$$",
}

// directed are statements with SETTINGS for one who reads their escapes, comments or
// heredocs rightly, and without for one who does not, or the other way round.
var directed = []string{
	`SELECT '\'' SETTINGS max_threads = 1 -- '`, `SELECT '\\' SETTINGS max_threads = 1 -- '`, `SELECT '''' SETTINGS max_threads = 1 -- '`,
	`SELECT '\\\'' SETTINGS max_threads = 1 -- '`, `SELECT '''\'' SETTINGS max_threads = 1 -- '`, `SELECT 'a''\\''' SETTINGS max_threads = 1 -- '`,
	"SELECT 1 AS `\\`` SETTINGS max_threads = 1 -- `", "SELECT 1 AS `\\\\` SETTINGS max_threads = 1 -- `", "SELECT 1 AS ```` SETTINGS max_threads = 1 -- `",
	`SELECT 1 AS "\"" SETTINGS max_threads = 1 -- "`, `SELECT 1 AS "\\" SETTINGS max_threads = 1 -- "`, `SELECT 1 AS """" SETTINGS max_threads = 1 -- "`,
	"SELECT 1 /* /* */ SETTINGS max_threads = 1 -- */", "SELECT 1 /* /* */ -- */ SETTINGS max_threads = 1", "SELECT 1 /*/ SETTINGS max_threads = 1 -- */",
	"SELECT 1 /* ' */ SETTINGS max_threads = 1 -- '", "SELECT 1 /* -- */ SETTINGS max_threads = 1", `SELECT 1 /* \*/ SETTINGS max_threads = 1 -- */`,
	"SELECT $$'$$ SETTINGS max_threads = 1 -- '", "SELECT '$$' SETTINGS max_threads = 1 -- $$", `SELECT $a$\$a$ SETTINGS max_threads = 1 -- $a$`,
	"SELECT $a$ $b$ $a$ SETTINGS max_threads = 1 -- $b$ $a$", "SELECT $a$ $$ $a$ SETTINGS max_threads = 1 -- $$ $a$", "SELECT $a$ $A$ SETTINGS max_threads = 1 -- $a$",
	"SELECT 1 -- '\n SETTINGS max_threads = 1 -- '", "SELECT 1 # '\n SETTINGS max_threads = 1 -- '", "SELECT 1 #! '\n SETTINGS max_threads = 1 -- '",
	"SELECT 1 -- \\\n SETTINGS max_threads = 1", "SELECT 1 -- /*\n SETTINGS max_threads = 1 -- */",
}

var (
	literals = regexp.MustCompile("(?s)'(?:[^'\\\\]|\\\\.|'')*'|`(?:[^`\\\\]|\\\\.|``)*`|\"(?:[^\"\\\\]|\\\\.|\"\")*\"")
	begins   = regexp.MustCompile(`^\(*(SELECT|WITH|FROM)\b`)
	forbids  = regexp.MustCompile(`\bSETTINGS \w+ = |\bFORMAT \w+$|\bINTO OUTFILE\b|\(EXPLAIN \w`)
)

// What the guard lets through is, to ClickHouse's own parser, one SELECT without
// SETTINGS, FORMAT and INTO OUTFILE.
func TestCheck_agrees_with_the_engine(t *testing.T) {
	conn := chtest.Shared(t).Admin(t)
	seed := uint64(time.Now().UnixNano())
	dice := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	a := agreement{t: t, conn: conn}
	a.hold(directed)
	if a.forbidden < len(directed)/2 {
		t.Errorf("%d of %d directed texts have SETTINGS to the engine: they show little", a.forbidden, len(directed))
	}
	for end := time.Now().Add(fuzzTime(t)); time.Now().Before(end) || a.parsed < 500; {
		var batch []string
		for range 5_000 {
			if sql := randomSQL(dice); report.Check(sql) == nil {
				batch = append(batch, sql)
			}
		}
		a.hold(batch)
	}
	t.Logf("%d texts, %d of them are statements to the engine", a.texts, a.parsed)
}

// A function that is refused has no other name.
func TestCheck_knows_aliases(t *testing.T) {
	rows, err := chtest.Shared(t).Admin(t).Query(t.Context(), "SELECT name, alias_to FROM system.functions WHERE alias_to != ''")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for ; rows.Next(); seen++ {
		var name, of string
		if err := rows.Scan(&name, &of); err != nil {
			t.Fatal(err)
		}
		if report.Check("SELECT "+of+"()") != nil && report.Check("SELECT "+name+"()") == nil {
			t.Errorf("%s passed, and is %s", name, of)
		}
	}
	if seen < 100 {
		t.Errorf("%d aliases", seen)
	}
}

// agreement holds the guard against the engine's parser.
type agreement struct {
	t                        *testing.T
	conn                     driver.Conn
	texts, parsed, forbidden int
}

func (a *agreement) hold(batch []string) {
	a.t.Helper()
	rows, err := a.conn.Query(clickhouse.Context(a.t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 1, "max_query_size": 64 << 20, "max_ast_elements": 1_000_000})),
		"SELECT q, formatQuerySingleLineOrNull(q) FROM (SELECT arrayJoin(?) AS q)", batch)
	if err != nil {
		a.t.Fatal(err)
	}
	for rows.Next() {
		var sql string
		var seen *string
		if err := rows.Scan(&sql, &seen); err != nil {
			a.t.Fatal(err)
		}
		if a.texts++; seen == nil {
			continue // no statement to it
		}
		a.parsed++
		bare := literals.ReplaceAllString(*seen, "''")
		if begins.MatchString(bare) && !forbids.MatchString(bare) {
			continue
		}
		if a.forbidden++; report.Check(sql) == nil {
			a.t.Errorf("%q passed, and is %q", sql, *seen)
		}
	}
	if err := rows.Err(); err != nil {
		a.t.Fatal(err)
	}
}

func randomSQL(dice *rand.Rand) string {
	var b strings.Builder
	b.WriteString([]string{"SELECT 1", "SELECT 'a'", "SELECT", "WITH 1 AS w SELECT w", "(SELECT 1)", "/**/SELECT 2"}[dice.IntN(6)])
	// Few pieces, often: what opens comes again, and closes.
	few := []string{"'", " SETTINGS max_threads = 1", " -- "}
	for range 4 {
		few = append(few, pieces[dice.IntN(len(pieces))])
	}
	for range dice.IntN(9) {
		b.WriteString(few[dice.IntN(len(few))])
	}
	return b.String()
}

// fuzzTime is a few seconds, or what WEIR_FUZZ_TIME says.
func fuzzTime(t *testing.T) time.Duration {
	t.Helper()
	text := "3s"
	if value := os.Getenv("WEIR_FUZZ_TIME"); value != "" {
		text = value
	}
	long, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return long
}

// FuzzCheck: the guard ends, and takes nothing that it can't read.
func FuzzCheck(f *testing.F) {
	for line := range strings.SplitSeq(hostile, "\n") {
		f.Add(line)
	}
	for _, piece := range pieces {
		f.Add("SELECT " + piece + " 'a' " + piece)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		err := report.Check(sql)
		if err == nil && strings.ContainsAny(sql, "\x00") && !strings.ContainsAny(sql, "'\"`$/-#") {
			t.Errorf("%q passed", sql)
		}
	})
}

// The throughput is the same for ten times the text: what the guard takes grows with the
// text, whatever opens in it and does not end.
func BenchmarkCheck(b *testing.B) {
	for _, piece := range []string{"$a$ ", "$a1$ $b1$ ", "/*", "/* ", "'", "''", "\"\" ", "(", "-- x\n", "`a`", "\\"} {
		for _, size := range []int{10_000, 100_000} {
			statement := "SELECT " + strings.Repeat(piece, size/len(piece))
			b.Run(fmt.Sprintf("%q/%d", piece, size), func(b *testing.B) {
				b.SetBytes(int64(len(statement)))
				for b.Loop() {
					_ = report.Check(statement)
				}
			})
		}
	}
}
