package filter

import (
	"regexp"
	"strings"
	"testing"
)

// shape is all that the SQL of things can be made of: no text of the caller's.
var shape = regexp.MustCompile(`^(?:[()]|AND|OR|IS NOT TRUE|IS DISTINCT FROM|IS NOT NULL|NOT|true|false|` +
	`name|title|id|created_at|ended_at|uses|on_off|role|labels|route_ids|models|` +
	`strpos|lower|starts_with|cardinality|ANY|ifNull|positionCaseInsensitiveUTF8|startsWith|if|mapContains|notEmpty|NULL|` +
	`\$\d+::(?:text|uuid|timestamptz|bigint|boolean)|\{filter_\d+:(?:String|UUID|DateTime64\(6, 'UTC'\)|Int64|Bool)\}|` +
	`->>|<>|!=|<=|>=|[=<>?,]|\[\{filter_\d+:String\}\]|''|'\{\}'|'\[\]'|0|\s)*$`)

// FuzzParse: nothing panics, the printed form is the same filter, and SQL never has
// text of the caller's.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`name = "a" AND -labels.team:x OR NOT (uses > 5)`, `labels."a b":* prod*`, `name = "'; DROP TABLE key; --"`, `created_at<2026-07-01`,
		`targets.model:"$1::text" on=true role!=owner`, `route_ids:` + someID, `"é" 'x\*' (`, "a\x00", `name != "a*" OR title:*`, `ended_at:* labels:*`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := things.Parse(text)
		if err != nil {
			return
		}
		printed := parsed.String()
		again, err := things.Parse(printed)
		if err != nil {
			if strings.Contains(err.Error(), "deep") {
				return // parentheses that were not written are printed
			}
			t.Fatalf("%q was printed as %q: %v", text, printed, err)
		}
		if again.String() != printed {
			t.Fatalf("%q was printed as %q, and that as %q", text, printed, again)
		}
		statement, named := &Postgres{}, &ClickHouse{}
		for _, sql := range []string{parsed.SQL(statement), parsed.SQL(named)} {
			if !shape.MatchString(sql) {
				t.Fatalf("%q became %s", text, sql)
			}
		}
		once := &Postgres{}
		if again.SQL(once) != parsed.SQL(&Postgres{}) || len(once.Args) != len(statement.Args) {
			t.Fatalf("%q and %q differ in SQL", text, printed)
		}
	})
}
